"""Usual names of columns, and whether the first line of a csv file is a header."""

from __future__ import annotations

import re
from collections.abc import Sequence

TEXT_NAMES = (
    "text", "sentence", "review", "content", "question", "comment", "message", "body", "document", "utterance",
    "tweet", "headline", "query", "prompt", "input", "sms", "review_text", "reviewtext", "review_body", "sentence_text",
)  # fmt: skip
LABEL_NAMES = (
    "label", "target", "class", "category", "sentiment", "stars", "y", "labels", "rating", "topic", "intent", "emotion",
    "label_text", "label_name", "class_name", "polarity",
)  # fmt: skip
GROUP_NAMES = ("group", "domain")
UNIT_NAMES = ("unit", "user", "user_id", "userid", "author", "author_id", "document_id", "doc_id", "customer_id")
SPLIT_NAMES = (
    "split", "splits", "data_split", "dataset_split", "split_name", "partition", "subset", "part", "fold", "set",
    "usage",
)  # fmt: skip

_OTHER_NAMES = ("id", "index", "idx", "title", "name", "date", "time", "source", "language", "lang", "url", "score")
USUAL_NAMES = frozenset((*TEXT_NAMES, *LABEL_NAMES, *GROUP_NAMES, *UNIT_NAMES, *SPLIT_NAMES, *_OTHER_NAMES))
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_LONGEST_NAME = 60


_SENTIMENT140 = ("target", "id", "date", "flag", "user", "text")
_NO_QUERY = "NO_QUERY"


def names_without_header(rows: Sequence[Sequence[str]]) -> list[str]:
    """Names for the columns of a file without a header: by position, or those of the one file that is known by heart.

    Args:
        rows: cells of the first lines.
    """
    width = len(rows[0])
    if width == len(_SENTIMENT140) and all(len(row) == width and row[3] == _NO_QUERY for row in rows):
        return list(_SENTIMENT140)
    return [f"column_{at}" for at in range(1, width + 1)]


def why_no_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Reason to think that the first line is data and not column names; empty when it looks like names.

    Args:
        first: cells of the first line.
        rows: cells of the lines after it (some of them are enough).
    """
    if any(cell.strip().casefold() in USUAL_NAMES for cell in first):
        return ""
    numbers = [cell.strip() for cell in first if cell.strip()]
    if numbers == [str(n) for n in range(len(numbers))] and len(numbers) > 1:
        return ""  # pandas names columns 0, 1, ... where nobody names them
    for at, cell in enumerate(first):
        name = cell.strip()
        if _NUMBER.fullmatch(name):
            return f"{name!r} is a number"
        if len(name) > _LONGEST_NAME:
            return f"{name[:40] + '…'!r} is a sentence"
        if name and sum(at < len(row) and row[at].strip() == name for row in rows) > 1:
            return f"{name!r} is also a value further down"
    return ""
