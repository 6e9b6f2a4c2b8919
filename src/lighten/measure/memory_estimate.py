"""Memory estimate: how much memory a model needs, told from its headers before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lighten.core.engine import Engine
from lighten.core.errors import TooLarge
from lighten.core.matching import format_named, known_format
from lighten.isolate.machine import available_memory
from lighten.models.recognize import recognize


def facts_of_large(source: Path) -> dict[str, Any] | None:
    """Facts of the model in a file, an artifact or a folder; None where models of its format are small.

    Raises:
        ModelError: its headers cannot be read, or it is nothing that lighten can use.
    """
    found = recognize(source)
    format = known_format(found.format)
    return format.facts_of(found) if format is not None and format.large else None


def to_optimize(known: Mapping[str, Any], engine: Engine, *, whole: bool = False) -> dict[str, int]:
    """Bytes that optimizing a model takes, by what they are for; nothing where its format's models are small.

    The original stays open in the engine that ran it, so that candidates can be measured beside it.

    Args:
        known: the model's facts. whole: with every weight trained; else with as few as the search can make do with.
    """
    making = format_named(known["format"]).memory(known, whole=whole)
    return {"the original while it is measured": sum(engine.memory(known).values()), **making} if making else {}


def to_run(models: Iterable[tuple[Mapping[str, Any], Engine]]) -> dict[str, int]:
    """Bytes that sessions of these models take together, by what they are for."""
    found: dict[str, int] = {}
    for known, engine in models:
        for what, size in engine.memory(known).items():
            found[what] = found.get(what, 0) + size
    return found


def check_fits(model: str, doing: str, needed: Mapping[str, int], *, fix: str, available: int | None = None) -> None:
    """Refuse what does not fit.

    Args:
        doing: such as ``"To optimize"``. needed: bytes by what they are for. available: bytes; None for what is left.

    Raises:
        TooLarge: more is needed than available.
    """
    total, left = sum(needed.values()), available_memory() if available is None else available
    if total <= left:
        return
    listed = ", ".join(f"{gigabytes(size)} for {what}" for what, size in needed.items() if size)
    raise TooLarge(
        f"{doing} {model} takes about {gigabytes(total)} of memory ({listed}); "
        f"this machine has {gigabytes(left)} left.",
        allowed=f"models that need at most {gigabytes(left)}",
        fix=fix,
    )


def gigabytes(size: int) -> str:
    """As people read it.

    >>> gigabytes(1_234_567_890), gigabytes(280_000_000_000), gigabytes(3_000_000)
    ('1.23 GB', '280 GB', '0.003 GB')
    """
    return f"{size / 1e9:,.0f} GB" if size >= 1e11 else f"{size / 1e9:.3g} GB"
