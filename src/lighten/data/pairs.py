"""Whether rows hold several texts, such as a premise and a hypothesis: none of them is dropped without a word."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from lighten.core.errors import DataError
from lighten.data.cells import Cell, Table, quoted

PAIRS = (
    ("premise", "hypothesis"), ("question", "passage", "context", "sentence", "answer", "paragraph", "response"),
    ("query", "passage", "document", "doc", "product_title"), ("claim", "evidence"), ("context", "response"),
    ("title", "text", "body", "description", "content", "abstract", "review", "review_text", "review_body", "selftext",
     "reviewtext", "article", "summary"),
    ("subject", "body", "message", "text", "content"), ("headline", "body", "text", "content", "article"),
    ("summary", "text", "reviewtext", "review_text", "review_body"), ("instruction", "input", "output"),
    ("prompt", "response", "completion"), ("anchor", "positive"), ("src", "mt"), ("post", "comment", "reply"),
)  # fmt: skip
"""Usual names of texts that belong together: the first, and what stands beside it."""

_NUMBERED = re.compile(r"(?P<stem>.*?[a-z])[_ -]?(?P<which>[12ab])")
_STEMS = frozenset({"sentence", "text", "question", "premise", "s", "q", "sent", "input", "string", "document", "doc"})
_META = re.compile(
    r"(.*[_ .-])?(id|ids|idx|url|uri|link|href|author|user|username|name|profilename|date|datetime|time|timestamp|"
    r"created|updated|source|lang|language|location|address|email|phone|file|filename|path|tags?|keywords?|country|city|"
    r"helpfulness|annotator|worker|hash|key|guid|uuid|sha|asin|isbn|domain|group|selected_text)([_ .-]?at)?"
)
"""Names of columns that describe a row and are no text of it."""
_REPEATING = ({"premise", "hypothesis"}, {"claim", "evidence"})
_ASKED = frozenset({"question", "passage", "sentence", "context", "query", "document", "paragraph"})
_WEB = re.compile(r"(https?://|www\.|[\w.+-]+@[\w-]+\.)\S*|/[\w./-]+")
_DATED = re.compile(r"(19|20)\d\d|\d{1,2}:\d\d")
_SEEN = 500
_FEWEST_WORDS, _FEWEST_KINDS = 3.0, 5
_MOST_ALIKE = 0.5


def refuse_pairs(table: Table, taken: Collection[str], text: str | None = None) -> None:
    """Refuse rows of several texts, where the user has not said which one is meant.

    Args:
        taken: columns that are something else (label, group, unit, split).
        text: the column that would be taken; None before one is chosen, when only usual names of pairs count.

    Raises:
        DataError: lists the columns with their first texts.
    """
    free = [name for name in table.columns if name not in taken]
    found = _by_name(table, free) if text is None else _by_content(table, free, text)
    if len(found) < 2:
        return
    listed = "; ".join(f"{name} (such as {quoted(_first(table.column(name)), 40)})" for name in found)
    raise DataError(
        f"The rows of {table.source} hold {len(found)} texts: {', '.join(found)}. To classify pairs is no task of "
        "lighten yet, and none of them is dropped without a word.",
        allowed=listed,
        fix=f"--text {found[0]} uses one of them on purpose; or join them in one column; "
        "language models can show several: --prompt; for vectors of texts that mean the same: --task text-embedding",
    )


def _by_name(table: Table, free: Sequence[str]) -> list[str]:
    names = {re.sub(r"[ -]+", "_", name.strip().casefold()).rpartition(".")[2]: name for name in free}
    worded = {short: name for short, name in names.items() if is_worded(table.column(name))}
    for first, *others in PAIRS:
        pair = [worded[name] for name in (first, *others) if name in worded]
        if first in worded and len(pair) > 1 and not _alike(table, *pair[:2]):
            return pair[:2]
    stems: dict[str, list[str]] = {}
    for short, name in worded.items():
        match = _NUMBERED.fullmatch(short)
        if match and match["stem"].rstrip("_") in _STEMS:
            stems.setdefault(match["stem"].rstrip("_"), []).append(name)
    return next((found for found in stems.values() if len(found) > 1), [])


def _by_content(table: Table, free: Sequence[str], text: str) -> list[str]:
    """The text and other columns of words that are not said by it already, and are no description of the row."""
    others = [
        name
        for name in free
        if name != text
        and not _META.fullmatch(name.strip().casefold())
        and is_worded(table.column(name), _FEWEST_WORDS, 0.1)
        and not _alike(table, text, name)
    ]
    return [text, *others]


def is_worded(cells: Sequence[Cell], fewest: float = 1.2, distinct: float = 0.0) -> bool:
    """Whether most cells are texts of words, and not only a few different ones.

    Args:
        fewest: words of a cell, on average. distinct: share of different ones that is needed.
    """
    seen = [str(cell).strip() for cell in cells[:_SEEN] if isinstance(cell, str) and cell.strip()]
    kinds = len(set(seen))
    if 2 * len(seen) < min(len(cells), _SEEN) or kinds < max(_FEWEST_KINDS, distinct * len(seen)):
        return False
    plain = [cell for cell in seen if any(ch.isalpha() for ch in cell) and not _WEB.fullmatch(cell)]
    dated = sum(bool(_DATED.search(cell)) and len(cell) < 40 for cell in plain)
    if 2 * len(plain) < len(seen) or 2 * dated > len(plain):
        return False
    return sum(map(_words, plain)) / len(plain) >= fewest


def _words(text: str) -> float:
    """Words by their spaces; of scripts that are written without spaces, two letters count as one."""
    dense = sum("\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7ff" for letter in text)
    return max(len(text.split()), dense / 2)


def _alike(table: Table, one: str, other: str) -> bool:
    """Whether one column says the same as the other for most rows: a cleaned copy of it, or a piece of it."""
    pairs = list(zip(table.column(one)[:_SEEN], table.column(other)[:_SEEN], strict=True))
    same = 0
    for left, right in pairs:
        mine, theirs = (set(re.findall(r"\w+", str(cell).casefold())) for cell in (left, right))
        least = min(len(mine), len(theirs))
        same += least == 0 or len(mine & theirs) >= 0.7 * least
    return same > _MOST_ALIKE * len(pairs) and not _repeats(one, other)


def _repeats(one: str, other: str) -> bool:
    """Names that are a pair even where one text repeats words of the other, as a hypothesis does its premise."""
    names = {one.casefold(), other.casefold()}
    return names in _REPEATING or names <= _ASKED


def _first(cells: Sequence[Cell]) -> Cell:
    return next((cell for cell in cells if isinstance(cell, str) and cell.strip()), "")
