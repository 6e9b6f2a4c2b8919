"""engine: environments of their own for engines whose libraries clash with lighten's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.engine import Engine
from lighten.core.errors import InputError, LightenError, UnknownName
from lighten.isolate import environments
from lighten.isolate.environments import Environment

MADE, MISSING, OUT_OF_DATE, HALF_MADE, UNUSED = "made", "missing", "out of date", "half made", "unused"
"""States: it can be used; it was not made; it was made for other requirements than today's; its making was stopped; no
engine asks for it any more."""


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """How it stands with the environment of one engine.

    Attributes:
        engine: catalog name; empty for a folder that belongs to none.
        state: ``made``, ``missing``, ``out of date``, ``half made`` or ``unused``.
        requirements: that the engine declares.
        versions: of what is installed.
        bytes: on the disk, what is out of date included. seconds: that making it took.
        folders: everything that belongs to it.
    """

    engine: str
    state: str
    requirements: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0
    folders: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        names = ("engine", "state", "requirements", "versions", "bytes", "seconds")
        return {**{name: getattr(self, name) for name in names}, "folders": [str(folder) for folder in self.folders]}


def add(name: str, *, progress: Callable[[str], None] | None = None) -> Environment:
    """Make the environment of an engine, or take the one that is there and fits.

    Args:
        name: catalog name; ``ov-genai`` and ``ov_genai`` are the same.
        progress: called with one sentence per stage.

    Raises:
        UnknownName: there is no such engine. InputError: it needs no environment, or it cannot be made.
    """
    found, engine = _known(name)
    made = environments.make(found, engine.environment, progress=progress or (lambda sentence: None))
    for old in _folders(found, engine):
        if old != made.path:
            environments.remove(old)
    return made


def listed() -> list[EnvironmentState]:
    """Every engine with an environment of its own and how it stands with it, then what no engine asks for."""
    found = [_standing(name, engine) for name, engine in _engines().items()]
    known = {folder for standing in found for folder in standing.folders}
    for one in environments.list_made():
        if one.path not in known:
            size = {"bytes": one.bytes, "seconds": one.seconds}
            found.append(
                EnvironmentState(one.name, UNUSED, one.requirements, dict(one.versions), **size, folders=(one.path,))  # type: ignore[arg-type]
            )
    for folder in environments.half_made():
        if folder not in known:
            found.append(EnvironmentState("", HALF_MADE, bytes=environments.bytes_of(folder), folders=(folder,)))
    return found


def remove(name: str) -> int:
    """Remove the environment of an engine, also one that is out of date, half made or no longer asked for.

    Returns:
        Bytes that are free now.

    Raises:
        UnknownName: there is no such engine. InputError: it has no environment here.
    """
    name = name.replace("-", "_")
    standings = [one for one in listed() if one.engine == name and one.folders]
    if not standings:
        _known(name)
        raise InputError(f"There is no environment of {name} here.", fix="lighten engine list")
    shared = sorted(
        other
        for other, cls in _engines().items()
        if other != name and environments.folder_of(cls.environment) in {f for one in standings for f in one.folders}
    )
    if shared:
        raise InputError(
            f"The environment of {name} is that of {', '.join(shared)} too.",
            allowed="an environment that one engine uses",
        )
    for standing in standings:
        for folder in standing.folders:
            environments.remove(folder)
    return sum(standing.bytes for standing in standings)


def _engines() -> dict[str, type[Engine]]:
    """Engines with an environment of their own; one that cannot be imported has none that could be known."""
    found: dict[str, type[Engine]] = {}
    for name in catalog.names("engines"):
        try:
            cls = catalog.load("engines", name)
        except LightenError:
            continue
        if cls.environment:
            found[name] = cls
    return found


def _known(name: str) -> tuple[str, type[Engine]]:
    plain, engines = name.replace("-", "_"), _engines()
    if plain in engines:
        return plain, engines[plain]
    if plain in catalog.names("engines"):
        raise InputError(
            f"The engine {plain} needs no environment of its own: it runs in lighten's.",
            allowed=", ".join(engines) or "(no engine needs one)",
        )
    raise UnknownName("engine with an environment of its own", name, engines)


def _folders(name: str, engine: type[Engine]) -> tuple[Path, ...]:
    """What was made for an engine: today's, older ones, and today's when it is half made."""
    today = environments.folder_of(engine.environment)
    others = {environments.folder_of(cls.environment) for cls in _engines().values()}
    old = [one.path for one in environments.list_made() if one.name == name and one.path not in {today, *others}]
    return (*([today] if today.is_dir() else []), *old)


def _standing(name: str, engine: type[Engine]) -> EnvironmentState:
    folders = _folders(name, engine)
    made = environments.find(engine.environment)
    known = {one.path: one.bytes for one in environments.list_made()}
    size = sum(known[folder] if folder in known else environments.bytes_of(folder) for folder in folders)
    if made is not None:
        return EnvironmentState(name, MADE, engine.environment, dict(made.versions), size, made.seconds, folders)
    half = environments.folder_of(engine.environment) in folders
    state = HALF_MADE if half else OUT_OF_DATE if folders else MISSING
    return EnvironmentState(name, state, engine.environment, bytes=size, folders=folders)
