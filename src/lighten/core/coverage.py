"""Coverage: how much of some texts a model reads, and the sentences that say where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

MOST_UNKNOWN = 0.03
"""Share of unknown tokens above which a model is told not to know the language: English text with typos, names and
emoji stays well below it."""
MULTILINGUAL = ("intfloat/multilingual-e5-small", "xlm-roberta-base")
"""What to bring for texts that a model's vocabulary was not made for."""

ENGLISH: Mapping[str, str] = {
    "cut": "{model} reads at most {limit} tokens of a text and does not see the rest; longer than that: {parts}.",
    "part": "{cut} of {texts} texts in {part} ({share})",
    "between": ", ",
    "or": " or ",
    "unknown": "{share} of the tokens of your texts are unknown to {model}: its vocabulary was not made for this "
    "language or script, and it guesses from what is left. Bring a model that knows it, such as {models}.",
}
"""What :func:`sentences` says, by its keys."""
LEARNT_FROM = (
    "{cut} of the training texts ({share}) are longer than {learnt} tokens; training and calibration read their {side} "
    "{learnt} only, because memory and time grow with the square of the length. Answers are given on the whole."
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of some texts a model reads.

    Attributes:
        texts: how many were counted: all, or evenly spaced ones when there are very many.
        cut: how many of them are longer than ``limit``.
        limit: most tokens of a text that the model reads, special tokens included.
        tokens: how many tokens it reads of them, without special tokens.
        unknown: how many of these its vocabulary has no entry for.
        side: the end of a longer text that is cut off, ``right`` or ``left``.
    """

    texts: int
    cut: int
    limit: int
    tokens: int
    unknown: int
    side: str = "right"

    @property
    def share_cut(self) -> float:
        """Share of the texts that are cut."""
        return self.cut / self.texts if self.texts else 0.0

    @property
    def share_unknown(self) -> float:
        """Share of the tokens that are unknown."""
        return self.unknown / self.tokens if self.tokens else 0.0


def total(parts: Iterable[Coverage]) -> Coverage:
    """Coverage of all parts together, which have one limit."""
    every = list(parts)
    texts, cut, tokens, unknown = (
        sum(getattr(one, name) for one in every) for name in ("texts", "cut", "tokens", "unknown")
    )
    return Coverage(texts, cut, every[0].limit, tokens, unknown, every[0].side)


def unknown_share(coverage: Mapping[str, Coverage]) -> float:
    """Share of the tokens of all parts that are unknown."""
    return total(coverage.values()).share_unknown if coverage else 0.0


def say_in_english(key: str, **values: str) -> str:
    """A sentence of ``ENGLISH`` with its places filled."""
    return ENGLISH[key].format(**values)


def sentences(
    coverage: Mapping[str, Coverage],
    model: str,
    say: Callable[..., str] = say_in_english,
    part: Callable[[str], str] = str,
) -> list[str]:
    """What a user should know before any time is spent; empty where texts are read whole and known.

    Args:
        coverage: by part. model: what the user calls it.
        say: from a key of ``ENGLISH`` and its values to a sentence. part: from a part to what it is called.
    """
    found = []
    if unknown_share(coverage) > MOST_UNKNOWN:
        models = say("or").join(MULTILINGUAL)
        found.append(say("unknown", share=percent(unknown_share(coverage)), model=model, models=models))
    cut = {name: one for name, one in coverage.items() if one.cut}
    if cut:
        parts = [
            say("part", cut=f"{one.cut:,}", texts=f"{one.texts:,}", part=part(name), share=percent(one.share_cut))
            for name, one in cut.items()
        ]
        limit = f"{next(iter(cut.values())).limit:,}"
        found.append(say("cut", model=model, limit=limit, parts=say("between").join(parts)))
    return found


def percent(share: float) -> str:
    """A share in per cent, with a decimal where it is small."""
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
