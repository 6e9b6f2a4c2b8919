"""Models of the Hugging Face hub: the cache first, then the network, briefly; every failure is an error of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lighten.core.errors import LightenError, ModelError
from lighten.core.format import Recognized
from lighten.core.matching import format_named
from lighten.files.json_file import read_object
from lighten.isolate.hub import MODELS, SECONDS, Refusal, asked, cached, offline
from lighten.models.recognize import recognize, recognize_listing

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
HUB_FILE = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)/([\w. -]+\.gguf)", re.I)
"""A file of a repository, such as ``org/name-GGUF/name-Q8_0.gguf``."""


def snapshot_of(folder: Path) -> Path:
    """The snapshot in a folder of the cache that a user names itself; any other folder as it is."""
    if folder.name.startswith("models--") and (folder / "snapshots").is_dir():
        return cached(folder.name.removeprefix("models--").replace("--", "/")) or folder
    return folder


class NotAtHand(ModelError):
    """A model that is neither in the cache nor given by the hub."""


def look(model: str, task: str = "", *, headless: bool = False) -> Recognized:
    """What a model of the hub is, told with as little fetched as possible: its configs.

    Args:
        task: catalogue name of what it is wanted for. headless: see :class:`Location`.

    Raises:
        NotAtHand: the hub does not give it. ModelError, UnsafeFile: it is nothing that lighten can use.
        MissingExtra: the hub's library is not installed, and the model is not in the cache.
    """
    name, file = _parts(model)
    found = _whole_in_cache(name, file, headless)
    if found is not None:
        return recognize(found, headless=headless, task=task)
    told: Recognized = _asked(model, lambda hub: _listed(hub, name, file, headless, task)[0])
    return told


def fetch(model: str, task: str = "", *, headless: bool = False) -> Path:
    """Where a model of the hub lies, fetched when it is not in the cache: a snapshot's folder, or a GGUF file.

    Args:
        task, headless: see :func:`look`.

    Raises:
        NotAtHand, ModelError, UnsafeFile, MissingExtra: see :func:`look`.
    """
    name, file = _parts(model)
    found = _whole_in_cache(name, file, headless)
    return found if found is not None else _asked(model, lambda hub: _downloaded(hub, name, file, headless, task))


def _parts(model: str) -> tuple[str, str]:
    match = HUB_FILE.fullmatch(model)
    return (match[1], match[2]) if match else (model, "")


def _whole_in_cache(name: str, file: str, headless: bool) -> Path | None:
    """What is in the cache, where nothing is missing; offline also what is not whole, whose error says what is."""
    folder = cached(name)
    if folder is None:
        return None
    if file:
        return folder / file if (folder / file).is_file() else None
    try:
        found = recognize(folder, headless=headless)
        if not found.sealed:
            format_named(found.format).check_complete(found)
    except LightenError:
        return folder if offline() and any(folder.iterdir()) else None
    return folder


def _asked(model: str, do: Callable[[Any], Any]) -> Any:
    """What ``do`` gets from the hub's library; whatever it raises is an error to read."""
    try:
        return asked(model, MODELS, do)
    except Refusal as error:
        raise NotAtHand(
            error.seen, allowed="an HF folder, a GGUF file, a hub id, or sample:NAME", fix=error.fix
        ) from error


def _listed(hub: Any, name: str, file: str, headless: bool, task: str = "") -> tuple[Recognized, list[str]]:
    info = hub.HfApi().model_info(name, timeout=SECONDS)
    names = [str(one.rfilename) for one in info.siblings or ()]
    tops = [one for one in names if "/" not in one]
    folders = sorted({one.partition("/")[0] + "/" for one in names if "/" in one})

    def read(one: str) -> dict[str, Any]:
        return read_object(Path(hub.hf_hub_download(name, one, etag_timeout=SECONDS)))

    if file:
        if file not in tops:
            files = [one for one in tops if one.lower().endswith(".gguf")]
            raise ModelError(f"{name} has no file {file} on the hub.", allowed=", ".join(files) or "(no GGUF file)")
        return recognize_listing(name, [file], read), tops
    return recognize_listing(name, [*tops, *folders], read, headless=headless, task=task), tops


def _downloaded(hub: Any, name: str, file: str, headless: bool, task: str) -> Path:
    found, tops = _listed(hub, name, file, headless, task)
    wanted = list(format_named(found.format).wanted(found, tops))
    folder = Path(hub.snapshot_download(name, allow_patterns=wanted, etag_timeout=SECONDS))
    return folder if found.path == Path(name) else folder / found.path.name
