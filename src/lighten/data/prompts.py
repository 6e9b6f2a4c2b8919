"""Prompts: a template with columns in braces, the choices that follow it, and examples from train before it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lighten.core.errors import DataError, UnknownName
from lighten.core.language import BETWEEN_SHOTS
from lighten.data.cells import Cell, some_numbers
from lighten.data.examples import Example
from lighten.data.labels import label_text

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_MORE_THAN_A_NAME = re.compile(r"([^.\[:!]*)[.\[:!]")
_EXAMPLE = "a text with columns in braces, such as 'Review: {text}\\nSentiment:'"


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt with gaps that the columns of a row fill.

    Attributes:
        texts: the plain text before, between and after the gaps; one more than there are gaps.
        fields: the column that fills each gap; the whole of it is the column's name, nothing is looked up inside.
    """

    texts: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def space(self) -> str:
        """What stands between a prompt and what follows it: a space, or nothing where the prompt ends in one."""
        return "" if self.texts[-1][-1:].isspace() else " "

    def render(self, row: Mapping[str, Cell]) -> str:
        """The prompt of a row, whose values stand as they are; a missing one leaves nothing."""
        filled = (text + cell_text(row[name]) for text, name in zip(self.texts, self.fields, strict=False))
        return "".join(filled) + self.texts[-1]

    def check(self, columns: Iterable[str]) -> None:
        """Refuse a template that names a column that is not there.

        Raises:
            UnknownName: with the nearest columns. DataError: an attribute, an index or a format in braces.
        """
        known = tuple(columns)
        for name in self.fields:
            more = _MORE_THAN_A_NAME.match(name)
            if name not in known and more and more[1].strip() in known:
                raise DataError(
                    f"The prompt has {{{name}}}, which is more than the name of a column.",
                    allowed=", ".join(f"{{{column}}}" for column in known),
                    fix=f"write {{{more[1].strip()}}}; values stand as they are: no formats, attributes or indices",
                )
            if name not in known:
                raise UnknownName("column", name, known, fix="braces that are meant as such are doubled: {{ }}")


def parse_template(prompt: str) -> Template:
    r"""A template from text such as ``"Review: {text}\nSentiment:"``.

    A backslash and an ``n``, as they come from a shell, are a line break; ``{{`` and ``}}`` are braces.

    Raises:
        DataError: braces that do not pair up, nothing between them, or no column at all.
    """
    texts, fields, at = [""], [], 0
    written = prompt.replace("\\n", "\n")
    for piece in _PIECE.finditer(written):
        texts[-1] += written[at : piece.start()]
        at = piece.end()
        if piece[0] in ("{{", "}}"):
            texts[-1] += piece[0][0]
        elif piece[1] is None:
            raise DataError(
                f"The brace at character {piece.start() + 1} of the prompt {prompt!r} has no partner.",
                allowed=_EXAMPLE,
                fix="double it when it is meant as a brace: {{ or }}",
            )
        elif not piece[1].strip():
            raise DataError(f"The prompt {prompt!r} has braces with no column in them.", allowed=_EXAMPLE)
        else:
            fields.append(piece[1].strip())
            texts.append("")
    texts[-1] += written[at:]
    if not fields:
        raise DataError(f"The prompt {prompt!r} names no column, so it is the same for every row.", allowed=_EXAMPLE)
    return Template(tuple(texts), tuple(fields))


def cell_text(cell: Cell) -> str:
    """A value as a prompt shows it: text as it stands, ``true``, ``3`` for 3.0, nothing for a missing one."""
    return cell if isinstance(cell, str) else label_text(cell) or ""


def same_text(text: str) -> str:
    """A choice or label up to case, spacing and the spelling of numbers."""
    return " ".join((label_text(text) or "").casefold().split())


def checked_choices(choices: Sequence[str]) -> tuple[str, ...]:
    """The choices without surrounding space.

    Raises:
        DataError: fewer than two, an empty one, one that occurs twice up to case and spacing, or one that another one
            begins with: its likelihood would count within the other's.
    """
    kept = tuple(choice.strip() for choice in choices)
    allowed = "two or more texts, none of which begins with another one"
    empty = [number for number, choice in enumerate(kept, 1) if not choice]
    if empty:
        raise DataError(f"Choice {some_numbers(empty)} of {len(kept)} is empty.", allowed=allowed)
    if len(kept) < 2:
        raise DataError(f"There is {len(kept)} choice ({''.join(kept) or 'none'}).", allowed=allowed)
    for number, one in enumerate(kept):
        for other in kept[:number]:
            if same_text(one) == same_text(other):
                raise DataError(f"The choices {other!r} and {one!r} are the same up to case.", allowed=allowed)
            first, longer = sorted((one, other), key=len)
            if longer.startswith(first):
                raise DataError(
                    f"The choice {longer!r} begins with the choice {first!r}, so their likelihoods overlap.",
                    allowed=allowed,
                    fix="use words that differ from their first letters on, or number the choices",
                )
    return kept


def with_choices(
    rows: Sequence[Example], choices: Sequence[str], column: str, source: str
) -> tuple[tuple[Example, ...], list[str]]:
    """Rows whose label is the choice as the user wrote it; and notes about choices without rows.

    Raises:
        DataError: labels that are not among the choices (with their rows), or one choice only.
    """
    written = {same_text(choice): choice for choice in choices}
    unknown: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if same_text(row.label) not in written:
            unknown[row.label].append(row.number)
    if unknown:
        shown = [f"{name!r} (row {some_numbers(numbers, 5)})" for name, numbers in list(unknown.items())[:5]]
        more = f" and {len(unknown) - 5:,} more" if len(unknown) > 5 else ""
        raise DataError(
            f"The column {column!r} of {source} holds what is not among the choices: {', '.join(shown)}{more}.",
            allowed=", ".join(choices),
            fix="add it to --choices, choose the column with --label, or rename these labels",
        )
    chosen = tuple(replace(row, label=written[same_text(row.label)]) for row in rows)
    counts = Counter(row.label for row in chosen)
    if len(counts) == 1:
        raise DataError(
            f"Every row of {source} has the same choice: {column!r} is {chosen[0].label!r}.",
            allowed="at least two of the choices",
            fix="choose the column with --label, or add rows of another choice",
        )
    never = [repr(choice) for choice in choices if not counts[choice]]
    return chosen, [f"No row has the choice {', '.join(never)}."] if never else []


def drawn_shots(pool: Sequence[tuple[str, str]], shots: int, *, seed: int) -> list[str]:
    """Examples for a few-shot prompt, drawn by a hash of their content and the seed, whatever the order of the rows.

    Args:
        pool: (kind, text) of each row that may be shown. Equally many of each kind are drawn, as far as there are.
        shots: how many.

    Raises:
        DataError: fewer distinct rows than that.
    """

    def rank(*of: str) -> bytes:
        return hashlib.sha256("\0".join((str(seed), *of)).encode("utf-8", "surrogatepass")).digest()

    distinct = sorted(set(pool), key=lambda row: rank("draw", *row))
    if shots < 0 or len(distinct) < shots:
        raise DataError(
            f"{shots} shots were asked, and train has {len(distinct):,} distinct rows to show.",
            allowed=f"0 to {len(distinct):,}",
        )
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, text in distinct:
        kinds[kind].append(text)
    # Every kind's first, then every kind's second, ...: what is cut off at the end is at most one of each kind.
    rounds = sorted((at, rank("kind", kind), text) for kind, texts in kinds.items() for at, text in enumerate(texts))
    return sorted((text for _, _, text in rounds[:shots]), key=lambda text: rank("order", text))


def prefix_of(shots: Sequence[str]) -> str:
    """What stands before a prompt: the examples, a blank line after each."""
    return "".join(shot + BETWEEN_SHOTS for shot in shots)
