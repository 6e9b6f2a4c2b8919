"""report: write the page of a run again."""

from __future__ import annotations

from pathlib import Path

from lighten.core.summary import Summary
from lighten.reports.page import write_page


def report(run: str | Path, out: str | Path | None = None) -> Path:
    """Write ``report.html`` from the ``summary.json`` of a run, and return its path.

    Raises:
        DataError: the folder holds no summary.
    """
    folder = Path(run)
    target = Path(out) if out is not None else folder / "report.html"
    write_page(Summary.load(folder / "summary.json"), target)
    return target
