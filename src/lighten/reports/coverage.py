"""What a classifier does not read of the user's texts, in either language."""

from __future__ import annotations

from lighten.core.coverage import sentences
from lighten.core.summary import Summary
from lighten.reports.words import say


def coverage_sentences(lang: str, summary: Summary) -> list[str]:
    """How many texts of each part are cut, and how many tokens are unknown; empty where there is nothing to say."""
    return sentences(
        summary.data.coverage,
        summary.model,
        lambda key, **values: say(lang, f"coverage.{key}", **values),
        lambda part: say(lang, f"part.{part}"),
    )
