"""Cheap baselines of language models: which candidates they are, what their tokens are, whether they do."""

from __future__ import annotations

from lighten.core.result import Candidate, Result
from lighten.core.summary import Summary, Winner
from lighten.reports.numbers import amount, ratio
from lighten.reports.standing import example, is_language, quality_metric, standing
from lighten.reports.words import WORDS, say

NUMPY = "numpy"
"""The engine that runs them. Their tokens are bytes, where they have any."""

BYTES = {"tok/s": "bytes/s", "s/1000 tokens": "s/1000 bytes"}
"""Units of what is measured per token, and what they are where a token is a byte."""


def unit_in(engine: str, metric: str, unit: str) -> str:
    """The unit of a quantity as an engine measured it: tokens of a baseline are bytes."""
    if engine != NUMPY:
        return unit
    return "ms/byte" if metric == "tpot" else BYTES.get(unit, unit)


def fair_ratio(result: Result) -> float | None:
    """The ratio to the original; None where one is measured per byte and the other per token, as old runs did."""
    own = unit_in(result.engine, result.meter, result.unit)
    return result.ratio if own == result.unit or result.ratio_unit else None


def ratio_words(result: Result, lang: str) -> str:
    """The ratio to the original with its spread, and whether it is unsure; empty where there is none."""
    known = fair_ratio(result)
    if known is None:
        return ""
    text = ratio(known, result.ratio_spread)
    return say(lang, "ratio.unsure", ratio=text) if result.unsure else text


def ratio_of(winner: Winner, name: str, lang: str) -> str:
    """The winner's ratio to the original in a quantity, as :func:`ratio_words`; empty where there is none."""
    if name not in winner.ratio:
        return ""
    text = ratio(winner.ratio[name], winner.ratio_spread.get(name))
    return say(lang, "ratio.unsure", ratio=text) if name in winner.unsure else text


def is_baseline(candidate: Candidate) -> bool:
    """Whether a candidate is a cheap baseline, learned from nothing but the user's rows."""
    return candidate.engine == NUMPY


def baselines(summary: Summary) -> tuple[Candidate, ...]:
    """Every measured baseline, the best first in the first floor's quality."""
    metric = quality_metric(summary)
    known = example(summary, metric)
    sign = -1.0 if known is not None and known.direction == "lower" else 1.0
    found = [c for c in summary.candidates if is_baseline(c) and c.state == "ok" and c.value(metric) is not None]
    return tuple(sorted(found, key=lambda c: -sign * (c.value(metric) or 0.0)))


def good_enough(summary: Summary) -> tuple[Candidate, ...]:
    """Baselines that keep every floor, on the select rows and wherever they were tested."""
    found = []
    for candidate in baselines(summary):
        place = standing(summary, candidate)
        if not any(miss.floor for miss in place.misses) and all(verdict.holds for verdict in place.verdicts):
            found.append(candidate)
    return tuple(found)


def kind_of(candidate: Candidate, lang: str) -> str:
    """What kind of model a baseline is, such as ``an n-gram model``."""
    keys = [f"baseline.{step.get('use') or step.get('step')}" for step in candidate.recipe]
    return say(lang, next((key for key in keys if key in WORDS), "baseline.other"))


def baseline_sentence(summary: Summary, lang: str) -> str:
    """That a cheap baseline is good enough; empty when none is, or when there is none."""
    good = good_enough(summary) if is_language(summary) and summary.state != "interrupted" else ()
    if not good:
        return ""
    won = next((c for c in good if summary.winner is not None and c.key == summary.winner.key), None)
    if won is not None:
        return say(lang, "say.baseline.winner", kind=kind_of(won, lang))
    return say(lang, "say.baseline.good", name=good[0].name, kind=kind_of(good[0], lang))


def missed_sentence(summary: Summary, lang: str) -> str:
    """That no baseline is good enough, with what each has; empty when one is, or when there is none."""
    metric, found = quality_metric(summary), baselines(summary)
    if not found or good_enough(summary):
        return ""
    named = [f"{c.name} {amount(lang, c.value(metric), c.results[metric].unit)}" for c in found]
    return say(lang, "baseline.missed", names=("、" if lang == "zh" else ", ").join(named))
