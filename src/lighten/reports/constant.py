"""The sentence that stands before everything else when an original is no better than an answer without a model."""

from __future__ import annotations

from lighten.core.outcome import Constant
from lighten.reports.numbers import amount, change, count
from lighten.reports.words import quantity, say

LONGEST = 60
"""Characters of the answer that are shown."""


def constant_sentence(constant: Constant | None, lang: str) -> str:
    """That the original is no better than always giving one answer, with both numbers; empty where it is better."""
    return "" if constant is None else say(lang, f"say.constant.{constant.state}", **_values(constant, lang))


def trained_sentence(constant: Constant | None, lang: str) -> str:
    """That a trained model is no better than always giving one answer, with both numbers; empty where it is better."""
    return "" if constant is None else say(lang, f"training.constant.{constant.state}", **_values(constant, lang))


def _values(constant: Constant, lang: str) -> dict[str, str]:
    return {
        "answer": constant.answer[:LONGEST] + ("…" if len(constant.answer) > LONGEST else ""),
        "metric": quantity(lang, constant.metric),
        "rows": say(lang, f"constant.{constant.part}", n=count(constant.n)),
        "original": amount(lang, constant.original, "fraction"),
        "share": amount(lang, constant.share, "fraction"),
        "lower": change(lang, constant.lower, "fraction"),
        "upper": change(lang, constant.upper, "fraction"),
    }
