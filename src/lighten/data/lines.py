"""Plain text to a table: one text a line, a line with tabs in it, or fastText's lines with the label in front."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from lighten.core.errors import DataError
from lighten.data.cells import Table, quoted
from lighten.data.header import USUAL_NAMES

LABEL = "__label__"
"""What fastText writes before every label of a line."""

RARE: Mapping[str, str] = {
    "||": "double pipe", "::": "double colon", "\x01": "control character (\\x01)", "^": "caret", "~": "tilde",
}  # fmt: skip
"""Separators that texts hardly hold: taken only where every line has as many of them as the first one."""
_FEWEST_LINES = 5
"""Lines without column names above them that say surely what separates them."""
_MOSTLY, _NEARLY_ALL = 0.8, 0.95
_LOOKED_AT = 200
_NO_TEXT = ("\x01",)
_FEWEST_OF_A_LABEL, _LONGEST_LABEL = 4, 40
"""Rows for each label, and characters of one, where no name says that a column holds labels."""
_BELOW_NAMES = re.compile(r"(?=.*(--|:-|-:))\|?(\s*:?-+:?\s*\|)+(\s*:?-+:?)?\s*")
"""The line that Markdown has between the names of a table's columns and its rows."""


def parse_lines(text: str, source: str) -> Table:
    """One row a line, in the column ``text``; the line's own spaces are kept."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError(f"{source} holds no text, only characters that are not seen.", allowed="one text a line")
    return Table({"text": tuple(lines)}, source, (f"{source} holds texts only, one a line.",))


def separator_of(text: str) -> str:
    """What separates the columns of a ``.txt`` file; empty when each line is one text.

    A tab where every line has as many as the first one; another separator below a line of usual column names; a rare
    one also where what it cuts off repeats as labels do, as texts may well hold one of these a line.
    """
    lines = _first_lines(text)
    if not lines:
        return ""
    if is_markdown(text):
        return "|"
    if len({line.count("\t") for line in lines}) == 1 and "\t" in lines[0]:
        return "\t"
    if (rare := rare_separator(text)) and _is_meant(lines, rare):
        return rare
    for separator in (",", ";", "|"):
        names = [name.strip().strip('"').casefold() for name in lines[0].split(separator)]
        if len(names) > 1 and all(name in USUAL_NAMES for name in names):
            return separator
    seems, share = likely_separator(text)
    return (
        seems if share >= _NEARLY_ALL and _is_meant(lines, seems) else ""
    )  # the lines that differ are named where they are cut


def is_markdown(text: str) -> bool:
    """Whether a text is a table as Markdown has it: a line of dashes and pipes below the names, pipes in every line."""
    lines = _first_lines(text)
    return len(lines) > 2 and bool(_BELOW_NAMES.fullmatch(lines[1].strip())) and all("|" in line for line in lines)


def rare_separator(text: str) -> str:
    """The rare separator that cuts every line into as many cells; empty where none surely does.

    It is sure below a line of names of which one is usual, and where each of several lines is cut in two.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    for separator in RARE:
        count = lines[0].count(separator) if lines else 0
        known = count > 0 and _has_usual_name(lines[0], separator)
        sure = known or (count == 1 and len(lines) >= _FEWEST_LINES)
        if sure and len(lines) > 1 and all(line.count(separator) == count for line in lines):
            return separator
    return ""


def likely_separator(text: str) -> tuple[str, float]:
    """The rare separator that most lines have as often as the first one, with their share; nothing where none has."""
    lines = _first_lines(text)
    shares = {}
    for separator in RARE:
        count = lines[0].count(separator) if lines else 0
        if count and (len(lines) >= _FEWEST_LINES or _has_usual_name(lines[0], separator)):
            shares[separator] = sum(line.count(separator) == count for line in lines) / len(lines)
    best = max(shares, key=lambda one: shares[one], default="")
    return (best, shares[best]) if best and shares[best] >= _MOSTLY else ("", 0.0)


def _has_usual_name(line: str, separator: str) -> bool:
    return any(name.strip().strip('"').casefold() in USUAL_NAMES for name in line.split(separator))


def _is_meant(lines: Sequence[str], separator: str) -> bool:
    """Whether a rare separator cuts columns in plain text: below usual names, or beside what looks like labels.

    A control character is no part of a text, so that it is always meant.
    """
    if separator in _NO_TEXT or _has_usual_name(lines[0], separator):
        return True
    alike = [line for line in lines if line.count(separator) == lines[0].count(separator)]
    first, after = zip(*(line.split(separator, 1) for line in alike), strict=True)
    before, last = zip(*(line.rsplit(separator, 1) for line in alike), strict=True)
    sides = ((first, after), (last, before))
    return any(
        _are_labels([one.strip() for one in cells]) and len(set(cells)) < len(set(rest)) for cells, rest in sides
    )


def _are_labels(cells: Sequence[str]) -> bool:
    """Whether cells are a few short values, each of which is there more than once."""
    held = Counter(cells)
    few = 2 <= len(held) <= len(cells) // _FEWEST_OF_A_LABEL
    return few and min(held.values()) > 1 and all(0 < len(cell) <= _LONGEST_LABEL for cell in held)


def _first_lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.split("\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]


def is_fasttext(text: str) -> bool:
    """Whether the first lines begin with ``__label__`` and a word."""
    lines = [line for line in text.split("\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]
    return bool(lines) and all(line.lstrip().startswith(LABEL) and len(line.split()[0]) > len(LABEL) for line in lines)


def parse_fasttext(text: str, source: str) -> Table:
    """Columns ``text`` and ``label`` of lines such as ``__label__good a fine film``.

    Raises:
        DataError: a line without label, or with several.
    """
    texts, labels = [], []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words:
            continue
        found = [word for word in words if word.startswith(LABEL)]
        if len(found) != 1 or not words[0].startswith(LABEL):
            several = len(found) > 1
            raise DataError(
                f"Line {number:,} of {source} has {len(found) or 'no'} labels: {quoted(line.strip())}.",
                allowed="one label at the start of every line: __label__good a fine film",
                fix="rows with several labels (multi-label) are no task of lighten yet: keep one label a line"
                if several
                else "write the label in front, or leave the line out",
            )
        labels.append(words[0].removeprefix(LABEL))
        texts.append(line.strip().removeprefix(words[0]).strip())
    return Table({"text": tuple(texts), "label": tuple(labels)}, source, (f"{source} has fastText's lines.",))
