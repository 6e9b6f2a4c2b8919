"""The manifest of a run: what was asked, so that it can be resumed without anybody repeating the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from lighten.core.errors import RunFolderError
from lighten.search.options import Options
from lighten.search.start import Asked
from lighten.store.folder import LIMITS, MANIFEST, PLACE, check_place, manifest_at

OPTIMIZE = "optimize"
FREE = ("seconds", "candidates", "under")
"""Options that a resumed run may change: none of them is looked at while the order of the proof is kept, and choosing
among what holds by another ceiling is free."""


def manifest_of(asked: Asked, threads: int) -> Mapping[str, Any]:
    """What must be the same when a run is resumed and, kept apart, what may differ.

    Args:
        threads: that the run uses.
    """
    kept = asdict(replace(asked.options, resume=False, out=Path()))
    kept = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    limits = {name: kept.pop(name) for name in FREE}
    for name in ("resume", "out"):
        kept.pop(name)
    return {
        **kept,
        "threads": threads,
        "data_fingerprint": asked.parts.fingerprint,
        "columns": dict(asked.columns),
        LIMITS: limits,
        PLACE: str(Path.cwd()),
    }


def asked_before(run: Path) -> Options:
    """The options of the run in a folder, to resume it.

    Raises:
        RunFolderError: there is no run, or its manifest is damaged or of another lighten.
        DataError: its model or data are given from another folder than this one.
    """
    record = manifest_at(run)
    try:
        if record.get("verb", OPTIMIZE) != OPTIMIZE:
            raise RunFolderError(
                f"{run} is the folder of another verb: lighten {record['verb']}.", fix=f"lighten resume {run}"
            )
        known = {**record, **record.get(LIMITS, {}), "out": run, "resume": True}
        values: dict[str, Any] = {field.name: known[field.name] for field in fields(Options) if field.name in known}
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        options = Options(**given)
    except (ValueError, TypeError, AttributeError) as error:
        raise RunFolderError(
            f"{run / MANIFEST} cannot be read as what a run was asked ({error}).", fix="start anew"
        ) from error
    check_place(record, (options.model, options.data))
    return options
