"""Cheap baselines: which candidates they are, whether they do; and ratios to the original."""

from __future__ import annotations

from lighten.core.result import Candidate, Result
from lighten.core.summary import Summary, Winner
from lighten.reports.numbers import amount, ratio
from lighten.reports.recipes import recipe_text, recipe_words
from lighten.reports.standing import example, quality_metric, standing
from lighten.reports.words import say


def ratio_words(result: Result, lang: str) -> str:
    """The ratio to the original with its spread, and whether it is unsure; empty where there is none."""
    if result.ratio is None:
        return ""
    text = ratio(result.ratio, result.ratio_spread)
    return say(lang, "ratio.unsure", ratio=text) if result.unsure else text


def ratio_of(winner: Winner, name: str, lang: str) -> str:
    """The winner's ratio to the original in a quantity, as :func:`ratio_words`; empty where there is none."""
    if name not in winner.ratio:
        return ""
    text = ratio(winner.ratio[name], winner.ratio_spread.get(name))
    return say(lang, "ratio.unsure", ratio=text) if name in winner.unsure else text


def told_alike(summary: Summary, metric: str, unit: str) -> bool:
    """Whether a quantity has the unit that the original's has; where tokens are bytes, speeds are told by bytes."""
    known = example(summary, metric)
    return known is None or known.unit == unit


def is_baseline(summary: Summary, candidate: Candidate) -> bool:
    """Whether a candidate is a cheap baseline, learned from nothing but the user's rows."""
    return candidate.key in summary.baselines


def baselines(summary: Summary) -> tuple[Candidate, ...]:
    """Every measured baseline, the best first in the first floor's quality."""
    metric = quality_metric(summary)
    known = example(summary, metric)
    sign = -1.0 if known is not None and known.direction == "lower" else 1.0
    found = [
        c for c in summary.candidates if is_baseline(summary, c) and c.state == "ok" and c.value(metric) is not None
    ]
    return tuple(sorted(found, key=lambda c: -sign * (c.value(metric) or 0.0)))


def good_enough(summary: Summary) -> tuple[Candidate, ...]:
    """Baselines that keep every floor, on the select rows and wherever they were tested."""
    found = []
    for candidate in baselines(summary):
        place = standing(summary, candidate)
        if not any(miss.floor for miss in place.misses) and all(verdict.holds for verdict in place.verdicts):
            found.append(candidate)
    return tuple(found)


def baseline_sentence(summary: Summary, lang: str) -> str:
    """That a cheap baseline is good enough; empty when none is, or when there is none."""
    good = good_enough(summary) if summary.state != "interrupted" else ()
    if not good:
        return ""
    won = next((c for c in good if summary.winner is not None and c.key == summary.winner.key), None)
    best = won or good[0]
    words = recipe_words(summary, best.recipe, lang, alone=False) or recipe_text(best.recipe)
    return say(lang, "say.baseline.winner" if won else "say.baseline.good", name=best.name, words=words)


def missed_sentence(summary: Summary, lang: str) -> str:
    """That no baseline is good enough, with what each has; empty when one is, or when there is none."""
    metric, found = quality_metric(summary), baselines(summary)
    if not found or good_enough(summary):
        return ""
    named = [f"{c.name} {amount(lang, c.value(metric), c.results[metric].unit)}" for c in found]
    return say(lang, "baseline.missed", names=("、" if lang == "zh" else ", ").join(named))
