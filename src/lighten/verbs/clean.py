"""clean: free the disk that a finished run takes, and keep what it found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lighten.core.artifact import STORE
from lighten.core.errors import RunFolderError
from lighten.core.summary import Summary
from lighten.core.training import RESULT
from lighten.store.artifacts import discard
from lighten.store.folder import MANIFEST, held
from lighten.store.summaries import load_summary

TEACHER = "teacher"
"""Folder of the original's answers that students learned from."""
MODEL = "model"
"""Name of the user's model in the store, which the user has."""


@dataclass(frozen=True)
class Cleaned:
    """What :func:`clean` freed.

    Attributes:
        run: the folder. removed: names below it that went, or would go. kept: what stays.
        bytes: that were freed, or would be. dry_run: whether nothing was touched.
    """

    run: str
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    bytes: int
    dry_run: bool

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def clean(run: str | Path, *, dry_run: bool = False, force: bool = False) -> Cleaned:
    """Remove what a run made on its way: candidates' files and answers that were learned from.

    The winner, the report, the results and the lineage stay, and so does the original where the run itself trained it.
    A run that is taken up afterwards makes what it needs again.

    Args:
        dry_run: only say what would go.
        force: also of a run that has not ended, whose progress is lost but for the results.

    Raises:
        RunFolderError: no run, one that has not ended, or one that another process works in.
    """
    folder = Path(run)
    if not (folder / MANIFEST).is_file():
        raise RunFolderError(f"There is no run in {folder}.", fix="give the folder of a run, such as runs/reviews")
    with held(folder):
        summary = _summary(folder)
        trained = (folder / RESULT).is_file()
        open_still = not trained if summary is None else summary.state == "interrupted"
        if open_still and not force and not dry_run:
            raise RunFolderError(
                f"The run in {folder} has not ended; what it made so far would be lost.",
                fix=f"go on with it (lighten resume {folder}), or clean it all the same with --force",
            )
        own = Path(summary.paths["original"]).name if summary is not None and "original" in summary.paths else ""
        gone = [place for place in _made(folder) if place.name != own or own == MODEL]
        freed = _bytes(folder, gone)
        if not dry_run:
            for place in gone:
                discard(place)
    kept = tuple(sorted(place.name for place in folder.iterdir() if place.name not in (STORE, TEACHER, ".lock")))
    if own and own != MODEL and (folder / STORE / own).is_dir():
        kept = (*kept, f"{STORE}/{own}")
    return Cleaned(str(folder), tuple(str(place.relative_to(folder)) for place in gone), kept, freed, dry_run)


def _summary(folder: Path) -> Summary | None:
    path = folder / "summary.json"
    return load_summary(path) if path.is_file() else None


def _made(folder: Path) -> Iterator[Path]:
    for parent in (folder / STORE, folder / TEACHER):
        yield from sorted(parent.iterdir()) if parent.is_dir() else ()
    yield from sorted(folder.glob(".*.part"))


def _bytes(folder: Path, gone: list[Path]) -> int:
    """Bytes that are free once these are gone: a file of several names counts when all of them go."""
    names: dict[tuple[int, int], int] = {}
    freed = 0
    for place in gone:
        for path in [place, *place.rglob("*")] if place.is_dir() and not place.is_symlink() else [place]:
            found = path.lstat()
            if path.is_dir() and not path.is_symlink():
                continue
            key = found.st_dev, found.st_ino
            names[key] = names.get(key, 0) + 1
            freed += found.st_size if names[key] == found.st_nlink else 0
    return freed
