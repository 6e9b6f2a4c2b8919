"""report: write the page of a run again."""

from __future__ import annotations

from pathlib import Path

from lighten.reports.page import write_page
from lighten.store.summaries import load_summary


def report(run: str | Path, out: str | Path | None = None) -> Path:
    """Write ``report.html`` from the ``summary.json`` of a run, and return its path.

    Raises:
        DataError: the folder holds no summary.
    """
    folder = Path(run)
    target = Path(out) if out is not None else folder / "report.html"
    write_page(load_summary(folder / "summary.json"), target)
    return target
