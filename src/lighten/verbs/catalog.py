"""catalog: what can be used here."""

from __future__ import annotations

from typing import Any

from lighten.core import catalog as known
from lighten.core.errors import MissingExtra, UnknownName
from lighten.core.step import settings_of


def catalog(kind: str | None = None) -> list[known.Entry]:
    """Every step, format, engine, task, meter, reader, target and guard, or those of one kind; nothing is imported.

    Raises:
        UnknownName: there is no such kind.
    """
    if kind is None:
        return [entry for name in known.KINDS for entry in known.entries(name)]
    if kind == "steps":
        return list(known.steps())
    if kind not in known.KINDS:
        raise UnknownName("kind of plug-in", kind, ["steps", *known.KINDS])
    return list(known.entries(kind))


def settings(name: str) -> list[dict[str, Any]]:
    """Settings of a step or engine: name, type, default, unit, bounds, choices, search range and one sentence.

    Raises:
        UnknownName: there is no such step or engine. MissingExtra: its libraries are not installed.
    """
    names: dict[str, known.Entry] = {}
    for entry in (entry for kind in known.KINDS for entry in known.entries(kind)):
        names.setdefault(entry.name, entry)  # a target may be called as a format or an engine is, and has no settings
    if name not in names:
        raise UnknownName("entry of the catalog", name, names)
    entry = names[name]
    try:
        cls = known.load_step(name) if entry.kind in known.STEP_KINDS else known.load(entry.kind, name)
    except MissingExtra:
        raise
    if not hasattr(cls, "__dataclass_fields__"):
        return []
    return [
        {
            "name": s.name,
            "type": s.type.__name__,
            "default": s.default,
            "unit": s.unit,
            "low": s.low,
            "high": s.high,
            "choices": list(s.choices),
            "search": list(s.search),
            "doc": s.doc,
        }
        for s in settings_of(cls)
    ]
