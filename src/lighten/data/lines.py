"""Plain text to a table: one text a line, a line with tabs in it, or fastText's lines with the label in front."""

from __future__ import annotations

from lighten.core.errors import DataError
from lighten.data.cells import Table, quoted
from lighten.data.header import USUAL_NAMES

LABEL = "__label__"
"""What fastText writes before every label of a line."""

_LOOKED_AT = 200


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

    A tab where every line has as many as the first one; another separator only below a line of usual column names.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")[:_LOOKED_AT] if line.strip()]
    if not lines:
        return ""
    if len({line.count("\t") for line in lines}) == 1 and "\t" in lines[0]:
        return "\t"
    for separator in (",", ";", "|"):
        names = [name.strip().strip('"').casefold() for name in lines[0].split(separator)]
        if len(names) > 1 and all(name in USUAL_NAMES for name in names):
            return separator
    return ""


def is_fasttext(text: str) -> bool:
    """Whether the first lines begin with ``__label__`` and a word."""
    lines = [line for line in text.split("\n")[:_LOOKED_AT] if line.strip()]
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
