"""Catalog: what can be used here. The directory is the registry.

``quantize/int8_static.py`` *is* the step ``quantize.int8_static``; the name is written nowhere else. Names come from
the directory, one-line descriptions from the first docstring line, the class on first use; nothing is imported before.
Packages join through entry points: group ``lighten.quantize`` with the name ``mine`` adds ``quantize.mine``. Formats
are called what artifacts call them: ``formats/onnx_int8.py`` is ``onnx-int8``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from threading import Lock
from typing import Any

from lighten.core.engine import Engine
from lighten.core.errors import InputError, MissingExtra, UnknownName
from lighten.core.format import Format
from lighten.core.guard import AnswerGuard, ModelGuard, ProbeGuard, TextGuard
from lighten.core.meter import QualityMeter, SpeedMeter
from lighten.core.reader import Reader
from lighten.core.step import Step
from lighten.core.target import Target
from lighten.core.task import Task

STEP_KINDS = ("train", "prune", "distill", "export", "quantize")
"""Folders of steps, in the order a recipe uses them."""

KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(STEP_KINDS, (Step,)),
    "formats": (Format,),
    "engines": (Engine,),
    "tasks": (Task,),
    "meters": (SpeedMeter, QualityMeter),
    "readers": (Reader,),
    "targets": (Target,),
    "guards": (TextGuard, ModelGuard, AnswerGuard, ProbeGuard),
}
"""Every folder of plug-ins and the class its files must define."""


_LENT: list[Entry] = []
_PARSING = Lock()
"""Held while source is parsed: before CPython 3.11.8 two threads at it can end in a SystemError (gh-106905)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be used here.

    Attributes:
        name: ``quantize.int8_static`` for a step, ``ort`` for an engine, ``text_classification`` for a task,
            ``onnx-int8`` for a format.
        kind: the folder it lives in.
        module: dotted path of its module.
        source: ``"lighten"`` or the name of the package that brings it.
    """

    name: str
    kind: str
    module: str
    source: str = "lighten"

    @property
    def doc(self) -> str:
        """First line of the module's docstring, read without importing it; empty where it cannot be read."""
        path = _file_of(self.module)
        return first_line(path) if path is not None else ""

    def to_json(self) -> dict[str, str]:
        """As a plain dictionary, with its first line."""
        return {**asdict(self), "doc": self.doc}


@cache
def entries(kind: str) -> tuple[Entry, ...]:
    """Everything of one kind, sorted by name; nothing is imported.

    Raises:
        InputError: two packages bring the same name.
    """
    prefix = f"{kind}." if kind in STEP_KINDS else ""
    folder = Path(__file__).resolve().parent.parent / kind
    found = {
        _named(kind, path.stem): Entry(prefix + _named(kind, path.stem), kind, f"lighten.{kind}.{path.stem}")
        for path in folder.glob("*.py")
        if not path.stem.startswith("_")
    }
    for lent in (entry for entry in _LENT if entry.kind == kind):
        found.setdefault(lent.name.removeprefix(prefix), lent)
    for point in entry_points(group=f"lighten.{kind}"):
        name = _named(kind, point.name)
        if name in found and found[name] in _LENT:
            continue
        if name in found:
            raise InputError(
                f"{point.value} brings {prefix}{name}, which {found[name].module} already is.",
                fix="uninstall one of the two packages",
            )
        source = point.dist.name if point.dist else point.module
        found[name] = Entry(f"{prefix}{name}", kind, point.module, source)
    return tuple(sorted(found.values(), key=lambda e: e.name))


def _named(kind: str, stem: str) -> str:
    """What a plug-in is called whose file or entry point is called ``stem``."""
    return stem.replace("_", "-") if kind == "formats" else stem


def lend(brought: Iterable[Entry]) -> None:
    """Know these entries too: the plug-ins of a parent process whose packages are not installed here."""
    _LENT.extend(brought)
    entries.cache_clear()


def steps() -> tuple[Entry, ...]:
    """Every step, in the order of the kinds."""
    return tuple(entry for kind in STEP_KINDS for entry in entries(kind))


def names(kind: str) -> tuple[str, ...]:
    """Names of everything of one kind."""
    return tuple(entry.name for entry in entries(kind))


def first_line(path: Path) -> str:
    """First line of a module's docstring, read without importing it; empty when it cannot be read."""
    try:
        tree = _parsed(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    return (ast.get_docstring(tree) or "").split("\n", 1)[0]


def _parsed(source: bytes) -> ast.Module:
    with _PARSING:
        return ast.parse(source)


def load(kind: str, name: str) -> type[Any]:
    """The class behind a name, with or without its kind in front; imports its module on first use.

    Raises:
        UnknownName: there is no such name; the nearest ones are offered.
        MissingExtra: its libraries are not installed.
        InputError: a package outside lighten brings it, and its module cannot be imported or has no one such class.
    """
    if kind not in KINDS:
        raise UnknownName("kind of plug-in", kind, KINDS)
    by_name = {entry.name: entry for entry in entries(kind)}
    found = by_name.get(name) or by_name.get(f"{kind}.{name}")
    if found is None:
        raise UnknownName("step" if kind in STEP_KINDS else kind.removesuffix("s"), name, by_name)
    return _class_in(found)


def load_step(name: str) -> type[Step]:
    """The step class behind a dotted name such as ``quantize.int8_static``.

    Raises:
        UnknownName: there is no such step.
    """
    kind = name.partition(".")[0]
    if kind not in STEP_KINDS or name not in names(kind):
        raise UnknownName("step", name, [entry.name for entry in steps()])
    return load(kind, name)


@cache
def _class_in(entry: Entry) -> type[Any]:
    try:
        module = importlib.import_module(entry.module)
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if entry.source != "lighten":
            raise InputError(
                f"{entry.name} of the package {entry.source} cannot be imported ({error}).",
                fix=f"install what {entry.source} needs, update it, or uninstall it",
            ) from error
        if missing == "lighten":
            raise
        raise MissingExtra(entry.name, _extra_in(entry.module), str(error)) from error
    wanted = KINDS[entry.kind]
    found = [
        c
        for name, c in inspect.getmembers(module, inspect.isclass)
        if not name.startswith("_")
        and c.__module__ == module.__name__
        and issubclass(c, wanted)
        and not inspect.isabstract(c)
    ]
    if len(found) != 1:
        base = " or ".join(c.__name__ for c in wanted)
        raise InputError(f"{entry.module} defines {len(found)} classes of {base}.", allowed="exactly one")
    return found[0]


def _file_of(module: str) -> Path | None:
    """The file of a module; None when it has none or its package cannot be imported."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _extra_in(module: str) -> str:
    """The ``extra`` that a module's class declares, read without importing it."""
    path = _file_of(module)
    for node in ast.walk(_parsed(path.read_bytes() if path else b"")):
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "extra" and isinstance(node, ast.AnnAssign):
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                return value.value
    return "all"


def name_of(thing: Any) -> str:
    """Catalog name of an instance or class of a plug-in."""
    cls = thing if isinstance(thing, type) else type(thing)
    for kind, wanted in KINDS.items():
        if issubclass(cls, wanted):
            for entry in entries(kind):
                if entry.module == cls.__module__:
                    return entry.name
    raise InputError(f"{cls.__module__}.{cls.__qualname__} is in no catalog.", allowed="classes that the catalog lists")
