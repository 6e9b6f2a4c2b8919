"""Permits: which code of the user's own may be run. Nothing is run because a file says so.

A network of the user's own needs its Python code, and a folder that somebody sends can name any code, with any
arguments. So code runs only where the user named it, on this machine:

- A factory that is given as MODEL (``mynets:make``, ``code/mynets:make``) is the user's own word. Without a path
  it is looked for in the folders of ``--code``, then where lighten was started, then among what is installed. Where its
  network is made, a permit is kept in ``$LIGHTEN_HOME/code``: the factory, the folder, and SHA-256 of each file of it.
- A folder with ``module.json`` is opened where a permit for the same factory and the same files is here, and the files
  are still what they were; or where they lie, unchanged, in a folder that ``--code`` (``$LIGHTEN_CODE``) names.

Everything else is refused, with what to do. A child process finds the permits where its parent does.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.artifact import sha256
from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.home import expanded, lighten_home
from lighten.files.json_file import read_object
from lighten.nets.module.record import Record

SWITCH = "LIGHTEN_CODE"
"""Environment variable with the folders, as in PATH, whose code may be run; ``--code`` sets it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a factory's module lies.

    Attributes:
        root: folder that is to be importable. file: of the module, below it.
    """

    root: Path
    file: Path


def locate(factory: str, folder: Path | None = None) -> Source:
    """Where the module of a factory lies that the user named; nothing is imported.

    Args:
        folder: that it lies in; None for the usual places.

    Raises:
        ModelError: nowhere.
    """
    module = factory.partition(":")[0]
    places = [*told_folders(), Path.cwd()] if folder is None else [folder]
    found = next((source for place in places if (source := _below(place, module)) is not None), None)
    installed = found if found is not None or folder is not None else _installed(module)
    if installed is None:
        raise ModelError(
            f"There is no module {module} in {' or '.join(map(str, places))}"
            f"{', and none is installed' if folder is None else ''}.",
            allowed="package.module:function, importable from where lighten is started",
            fix="start lighten in the folder that the module is in, or name the folder: lighten --code FOLDER VERB ...",
        )
    return installed


def told_folders() -> list[Path]:
    """Folders whose code the user allows to be run."""
    told = os.environ.get(SWITCH, "")
    return [expanded(one).resolve() for one in told.split(os.pathsep) if one]


def allow(record: Record, root: Path) -> None:
    """Keep that the user named this factory, with these files below ``root``."""
    folder = lighten_home() / "code"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"factory": record.factory, "root": str(root), "sources": dict(record.sources)}, indent=1)
    part = folder / f".{_key(record)}.{os.getpid()}"
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(folder / f"{_key(record)}.json")


def permitted(record: Record, place: str) -> Path:
    """The folder that is to be importable for a record's factory.

    Args:
        place: what errors call the record.

    Raises:
        UnsafeFile: the user did not allow its code to be run. ModelError: it is not what it was.
    """
    module, changed = record.factory.partition(":")[0], ""
    if not any(name in record.sources for name in _files_of(module)):
        raise ModelError(f"{place} says nothing of the file that holds {record.factory}.", fix="get the model again")
    for root in (*told_folders(), *_kept(record)):
        differing = differences(record.sources, root)
        if not differing:
            return root
        changed = changed or f"{root / differing[0]}"
    if changed and _kept(record):
        raise ModelError(
            f"{place} was made by {record.factory}, and {changed} is no longer what it was then.",
            allowed="the code that the network was made with",
            fix=f"put the file back, or train the network that it makes now: give {record.factory} as the model",
        )
    raise UnsafeFile(
        f"{place} names Python code to run ({record.factory}), which was never named on this machine.",
        allowed="code that you have, and allow to be run",
        fix=f"put {', '.join(record.sources)} into a folder, and say: lighten --code FOLDER VERB ... (or set "
        f"{SWITCH}); what lighten exported (ONNX, OpenVINO) needs no code",
    )


def refuse_unnamed(factory: str, place: str, folder: Path | None = None) -> None:
    """Refuse a factory that a file names, not the user, unless the user named the same code here before.

    Args:
        place: the file, as errors call it. folder: see :func:`locate`.

    Raises:
        UnsafeFile: see :func:`permitted`. ModelError: there is no such module.
    """
    source = locate(factory, folder)
    name = source.file.relative_to(source.root).as_posix()
    for permit in _permits(factory):
        sources: Mapping[str, str] = permit.get("sources", {})
        if permit.get("root") == str(source.root) and name in sources and not differences(sources, source.root):
            return
    if source.root in told_folders():
        return
    raise UnsafeFile(
        f"{place} names Python code to run ({factory}, in {source.file}), which you have not named yourself.",
        allowed="code that you name, or whose folder you allow",
        fix=f"if you trust it, say: lighten --code {source.root} VERB ...",
    )


def differences(sources: Mapping[str, str], root: Path) -> list[str]:
    """Which of some files below a folder are missing or have another hash."""
    return [name for name, digest in sources.items() if not _is_same(root, name, digest)]


def _is_same(root: Path, name: str, digest: str) -> bool:
    path = (root / name).resolve()
    return path.is_relative_to(root) and path.is_file() and sha256(path) == digest


def _kept(record: Record) -> list[Path]:
    """Folders that a permit for just this code names."""
    same = (permit for permit in _permits(record.factory) if permit.get("sources") == dict(record.sources))
    return [Path(str(permit["root"])) for permit in same]


def _permits(factory: str) -> Iterator[dict[str, Any]]:
    for path in sorted((lighten_home() / "code").glob("*.json")):
        found = read_object(path)
        if found.get("factory") == factory:
            yield found


def _key(record: Record) -> str:
    return hashlib.sha256(json.dumps([record.factory, sorted(record.sources.items())]).encode()).hexdigest()[:32]


def _files_of(module: str) -> tuple[str, str]:
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def _below(root: Path, module: str) -> Source | None:
    root = root.resolve()
    return next((Source(root, root / name) for name in _files_of(module) if (root / name).is_file()), None)


def _installed(module: str) -> Source | None:
    """Where an installed module lies; its parents are not imported."""
    for place in sys.path:
        if place and (found := _below(Path(place), module)) is not None:
            return found
    top = importlib.util.find_spec(module.partition(".")[0])
    origin = top.origin if top is not None else None
    if origin is None or not origin.endswith(".py"):
        return None
    file = Path(origin)
    root = file.parent.parent if file.name == "__init__.py" else file.parent
    return _below(root, module)
