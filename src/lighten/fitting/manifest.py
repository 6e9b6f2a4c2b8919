"""The manifest of a training: what was asked, so that it can be resumed without anybody repeating the question."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from lighten.core.data_options import DataOptions
from lighten.core.errors import RunFolderError
from lighten.fitting.options import OF_DATA, VERB, FitOptions
from lighten.store.folder import LIMITS, MANIFEST, check_place, manifest_at


def asked_before(run: Path) -> FitOptions:
    """The options of the training in a folder, to resume it; on as many cores as it had, whatever this machine has.

    Raises:
        RunFolderError: there is no training, or its manifest is damaged or of another lighten.
        DataError: what it was given by relative names is not found from here.
    """
    record = manifest_at(run)
    if record.get("verb") != VERB:
        raise RunFolderError(f"{run} is the folder of another verb: lighten {record.get('verb', 'optimize')}.")
    try:
        known = {**record, **record.get(LIMITS, {}), "out": run, "resume": True}
        known["of_data"] = DataOptions(**_given(DataOptions, known, OF_DATA))
        known["threads"] = known.get("threads") or int(record.get("cores", 0))
        options = FitOptions(**_given(FitOptions, known))
    except (TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(
            f"{run / MANIFEST} cannot be read as what a training was asked ({error}).", fix="start anew"
        ) from error
    names = (options.model, options.data, *options.teachers, options.unlabelled)
    check_place(record, [name for name in names if name])
    return options


def _given(of: Any, known: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """What is known of the fields of a dataclass; what has a default may be missing, as in an older manifest."""
    found = {}
    for field in fields(of):
        name = prefix + field.name
        if name in known:
            found[field.name] = tuple(known[name]) if isinstance(known[name], list) else known[name]
        elif field.default is MISSING:
            raise ValueError(f"{name} is missing")
    return found
