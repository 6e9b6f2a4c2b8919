"""Every text of the report in English and Chinese. Placeholders are in braces, the same in both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter

from lighten.reports.ending_words import ENDING
from lighten.reports.finding_words import FINDING
from lighten.reports.page_words import PAGE
from lighten.reports.proof_words import PROOF
from lighten.reports.quantity_words import QUANTITY
from lighten.reports.sweep_words import SWEEP
from lighten.reports.training_words import TRAINING
from lighten.reports.writing_words import WRITING

LANGS = ("en", "zh")
WORDS: dict[str, tuple[str, str]] = {**PAGE, **FINDING, **ENDING, **PROOF, **WRITING, **QUANTITY, **TRAINING, **SWEEP}
"""Key -> (English, Chinese)."""


def say(lang: str, key: str, **values: object) -> str:
    """The text behind ``key`` in ``lang`` (``"en"`` or ``"zh"``) with its placeholders filled.

    Raises:
        KeyError: no such key, or a placeholder without a value.
        ValueError: no such language.
    """
    if lang not in LANGS:
        raise ValueError(f"no such language: {lang!r}")
    return fill(lang, WORDS[key][LANGS.index(lang)], values)


def fill(
    lang: str,
    text: str,
    values: Mapping[str, object],
    shown: Callable[[object, str], str] = lambda value, spec: str(value),
) -> str:
    """A text with its placeholders filled. shown: a value as text, by what stands behind the colon of its placeholder.

    Raises:
        KeyError: a placeholder without a value.
    """
    join = _join if lang == "zh" else str.__add__
    said = ""
    for literal, name, spec, _ in Formatter().parse(text):
        said = join(said, literal)
        if name is not None:
            said = join(said, shown(values[name], spec or ""))
    return said


def _join(left: str, right: str) -> str:
    """Chinese typesetting: a space between a Chinese character and a Latin one or a digit, none between two Chinese."""
    left_han, right_han = _is_han(left.rstrip(" ")[-1:]), _is_han(right.lstrip(" ")[:1])
    if left_han and right_han:
        return left.rstrip(" ") + right.lstrip(" ")
    touching = left[-1:].isalnum() or left[-1:] == "%", right[:1].isalnum()
    return f"{left} {right}" if left_han != right_han and all(touching) else left + right


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def quantity(lang: str, name: str) -> str:
    """Name of a quantity in running text; the name itself when the table does not know it."""
    key = f"quantity.{name}"
    return say(lang, key) if key in WORDS else name


def capital(text: str) -> str:
    """``text`` with a capital first letter."""
    return text[:1].upper() + text[1:]
