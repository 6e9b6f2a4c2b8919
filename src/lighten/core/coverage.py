"""Coverage: how much of some texts a model reads, and the sentences that say where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_UNKNOWN = 0.03
"""Share of unknown tokens above which a model is told not to know the language: English text with typos, names and
emoji stays well below it."""
MULTILINGUAL = ("intfloat/multilingual-e5-small", "xlm-roberta-base")
"""What to bring for texts that a model's vocabulary was not made for."""

CUT = "{model} reads at most {limit} tokens of a text and does not see the rest; longer than that: {parts}."
PART = "{cut} of {texts} texts in {part} ({share})"
UNKNOWN = (
    "{share} of the tokens of your texts are unknown to {model}: its vocabulary was not made for this language or "
    "script, and it guesses from what is left. Bring a model that knows it, such as {models}."
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
    """

    texts: int
    cut: int
    limit: int
    tokens: int
    unknown: int

    @property
    def share_cut(self) -> float:
        """Share of the texts that are cut."""
        return self.cut / self.texts if self.texts else 0.0

    @property
    def share_unknown(self) -> float:
        """Share of the tokens that are unknown."""
        return self.unknown / self.tokens if self.tokens else 0.0


def unknown_share(coverage: Mapping[str, Coverage]) -> float:
    """Share of the tokens of all parts that are unknown."""
    tokens = sum(one.tokens for one in coverage.values())
    return sum(one.unknown for one in coverage.values()) / tokens if tokens else 0.0


def sentences(coverage: Mapping[str, Coverage], model: str) -> list[str]:
    """What a user should know before any time is spent; empty where texts are read whole and known.

    Args:
        coverage: by part. model: what the user calls it.
    """
    found = []
    if unknown_share(coverage) > MOST_UNKNOWN:
        share = f"{unknown_share(coverage):.0%}"
        found.append(UNKNOWN.format(share=share, model=model, models=" or ".join(MULTILINGUAL)))
    cut = {part: one for part, one in coverage.items() if one.cut}
    if cut:
        parts = ", ".join(
            PART.format(cut=f"{one.cut:,}", texts=f"{one.texts:,}", part=part, share=percent(one.share_cut))
            for part, one in cut.items()
        )
        found.append(CUT.format(model=model, limit=f"{next(iter(cut.values())).limit:,}", parts=parts))
    return found


def percent(share: float) -> str:
    """A share in per cent, with a decimal where it is small."""
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
