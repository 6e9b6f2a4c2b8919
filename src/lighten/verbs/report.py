"""report: write the page of a run again."""

from __future__ import annotations

import json
from pathlib import Path

from lighten.core.errors import DataError
from lighten.core.training import RESULT, TrainingResult
from lighten.reports.page import write_page
from lighten.reports.training import write_training_page
from lighten.store.summaries import load_summary


def report(run: str | Path, out: str | Path | None = None) -> Path:
    """Write ``report.html`` from the ``summary.json`` of a run, or the ``result.json`` of a training; returns its path.

    Raises:
        DataError: the folder holds neither, or one that is damaged.
    """
    folder = Path(run)
    target = Path(out) if out is not None else folder / "report.html"
    if (folder / RESULT).is_file():
        write_training_page(_trained(folder / RESULT), target)
    else:
        write_page(load_summary(folder / "summary.json"), target)
    return target


def _trained(path: Path) -> TrainingResult:
    try:
        return TrainingResult.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged, or of another version of lighten ({error}).") from error
