"""Sentences about a run, in English or Chinese: what was found, why each candidate did not win, what was missed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lighten.core.result import HIGHER, Candidate
from lighten.core.summary import Power, Summary
from lighten.proof import Verdict
from lighten.reports.numbers import amount, bound, change, count, duration, loss, ratio, share, times
from lighten.reports.standing import Miss, Standing, example, nearest_misses, quality_metric, standing
from lighten.reports.words import quantity, say

RATES = {"bandwidth": "GB/s", "arithmetic": "GFLOP/s"}
"""Units of the rates in the record of the machine."""


def headline(summary: Summary, lang: str) -> str:
    """What the run found, in one or two sentences; with every gate of the winner."""
    return ("" if lang == "zh" else " ").join(findings(summary, lang))


def findings(summary: Summary, lang: str) -> tuple[str, ...]:
    """What the run found, the sentence that matters most first."""
    if summary.state == "winner":
        gain, verdicts = gain_sentence(summary, lang), tuple(Verdict.from_json(v) for v in summary.verdicts)
        stop = "。" if lang == "zh" else "."
        if not verdicts:
            return (f"{gain}{stop}",)
        first = say(
            lang, "say.and", gain=gain, quality=_quality(verdicts[0], unit_of(summary, verdicts[0].metric), lang)
        )
        others = [_also(verdict, unit_of(summary, verdict.metric), lang) for verdict in verdicts[1:]]
        return (first, *others)
    made = [c for c in summary.candidates if c.key != summary.original]
    if summary.state == "nothing_met":
        said = say(lang, "say.nothing_met", n=count(len(made)))
        near = nearest_misses(summary, 1)
        if not near:
            return (said,)
        return (said, say(lang, "say.nearest", name=near[0][0].name))
    done = sum(c.state == "ok" for c in made)
    time = duration(lang, summary.seconds)
    return (say(lang, "say.interrupted", time=time, done=count(done), n=count(len(made))),)


def gain_sentence(summary: Summary, lang: str) -> str:
    """How much cheaper the winner is, in the quantity that was minimized; no full stop."""
    name = summary.budget.minimize
    gain = summary.winner.ratio.get(name) if summary.winner else None
    known = example(summary, name)
    if gain is None or gain <= 0 or known is None:
        return say(lang, "say.gain.none")
    values = {"ratio": ratio(gain), "times": times(gain), "quantity": quantity(lang, name)}
    if name == "rows_per_second":
        return say(lang, "say.gain.rows_per_second", **values)
    if known.direction == HIGHER:
        return say(lang, "say.gain.higher", **values)
    return say(lang, "say.gain.lower", share=share(1 / gain), **values)


def _quality(verdict: Verdict, unit: str, lang: str) -> str:
    return say(
        lang,
        f"say.quality.{_kind(verdict)}",
        n=count(verdict.n),
        metric=quantity(lang, verdict.metric),
        loss=loss(lang, -verdict.lower, unit, up=True),
        gain=loss(lang, math.floor(1e4 * verdict.lower) / 1e4, unit),
        confidence=share(verdict.confidence),
        margin=loss(lang, abs(verdict.margin), unit),
    )


def _also(verdict: Verdict, unit: str, lang: str) -> str:
    return say(
        lang,
        f"say.also.{_kind(verdict)}",
        metric=quantity(lang, verdict.metric),
        loss=loss(lang, -verdict.lower, unit, up=True),
        gain=loss(lang, math.floor(1e4 * verdict.lower) / 1e4, unit),
        margin=loss(lang, abs(verdict.margin), unit),
    )


def _kind(verdict: Verdict) -> str:
    if verdict.margin < 0:
        return "gain"
    return "no_loss" if verdict.lower >= 0 else verdict.direction


def why(summary: Summary, candidate: Candidate, lang: str, place: Standing | None = None) -> str:
    """Why ``candidate`` won or did not. place: its standing, when it is known already."""
    place = place or standing(summary, candidate)
    status = place.status
    if status in ("failed", "stopped"):
        return candidate.reason or say(lang, "why.no_reason")
    if status in ("winner", "original", "running"):
        return say(lang, f"why.{status}")
    gap = "" if lang == "zh" else " "
    if status in ("worse", "not_enough_data"):
        open_gates = [verdict for verdict in place.verdicts if not verdict.holds]
        return gap.join(_unproved(verdict, unit_of(summary, verdict.metric), lang) for verdict in open_gates)
    if place.misses:
        return gap.join(miss_sentence(miss, lang) for miss in place.misses)
    if status == "held":
        return _held(summary, candidate, lang)
    if status == "beaten" and place.beaten_by is not None:
        return say(lang, "why.beaten", name=place.beaten_by.name)
    return say(lang, "why.untested" if candidate.key in summary.frontier else "why.unproved")


def _unproved(verdict: Verdict, unit: str, lang: str) -> str:
    values = {
        "metric": quantity(lang, verdict.metric),
        "difference": change(lang, verdict.difference, unit),
        "lower": change(lang, verdict.lower, unit, "down"),
        "upper": change(lang, verdict.upper, unit, "up"),
        "loss": loss(lang, max(0.0, -verdict.lower), unit, up=True),
        "margin": loss(lang, verdict.margin, unit),
    }
    said = say(lang, f"why.{verdict.state}", **values)
    if verdict.needed is None:
        return said
    return ("" if lang == "zh" else " ").join([said, say(lang, "why.needed", needed=count(verdict.needed))])


def _held(summary: Summary, candidate: Candidate, lang: str) -> str:
    name = summary.budget.minimize
    best, mine = summary.candidate(summary.winner.key if summary.winner else None), candidate.results.get(name)
    if best is None or mine is None or best.value(name) is None:
        return say(lang, "why.held.alone")
    value, least = amount(lang, mine.value, mine.unit), amount(lang, best.value(name), mine.unit)
    return say(lang, "why.held", quantity=quantity(lang, name), value=value, best=least)


def miss_sentence(miss: Miss, lang: str) -> str:
    """One bound that was missed."""
    metric = capital(quantity(lang, miss.metric))
    if miss.value is None:
        return say(lang, "why.unknown", metric=metric)
    kind = "floor" if miss.floor else "ceiling"
    usual = HIGHER if miss.floor else "lower"
    key = f"why.{kind}" if miss.direction == usual else f"why.{kind}.{miss.direction}"
    return say(
        lang,
        key,
        metric=metric,
        value=amount(lang, miss.value, miss.unit),
        limit=bound(lang, miss.limit, miss.unit),
    )


def method_text(verdict: Verdict, lang: str) -> str:
    """How the bounds of a verdict were found."""
    key = "tango" if verdict.method == "tango" else "both" if "Tango" in verdict.method else "bootstrap"
    known = key == "tango" or verdict.method.startswith("bootstrap")
    method = say(lang, f"method.{key}") if known else verdict.method
    return say(lang, "proof.method", confidence=share(verdict.confidence), method=method)


def power_sentence(power: Power, unit: str, lang: str) -> str:
    """What the proof rows can prove, judged before the run: ``400 rows can be expected to prove 2 points, not 1``."""
    return say(
        lang,
        "say.power.can" if power.provable <= power.margin else "say.power.cannot",
        n=count(power.n),
        metric=quantity(lang, power.metric),
        provable=loss(lang, power.provable, unit, up=True),
        margin=loss(lang, power.margin, unit),
    )


def unit_of(summary: Summary, metric: str) -> str:
    """Unit of a quantity; ``fraction`` when no candidate measured it."""
    known = example(summary, metric)
    return known.unit if known else "fraction"


def recipe_text(recipe: tuple[Mapping[str, Any], ...]) -> str:
    """A recipe in one line: ``prune.layers keep=3 → quantize.int8_static``; empty for no step."""
    return " → ".join(step_text(step) for step in recipe)


def step_text(step: Mapping[str, Any]) -> str:
    """One step in one line: its catalog name and its settings."""
    name = str(step.get("use") or step.get("step") or "?")
    settings = [f"{key}={_plain(value)}" for key, value in step.items() if key not in ("use", "step")]
    return " ".join([name, *settings])


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def capital(text: str) -> str:
    """``text`` with a capital first letter."""
    return text[:1].upper() + text[1:]


def meters_shown(summary: Summary) -> tuple[str, ...]:
    """Quantities in the order a reader wants them: quality, what is minimized, then the others as measured."""
    seen = list(dict.fromkeys(name for candidate in summary.candidates for name in candidate.results))
    floors = [floor.metric for floor in summary.budget.keep]
    first = [quality_metric(summary), summary.budget.minimize, *floors]
    order = ["p50", "p95", "rows_per_second", "cpu", "memory", "size", "load", "energy"]
    known = [*first, *order, *seen]
    return tuple(name for name in dict.fromkeys(known) if name in seen)


def flat(value: object) -> str:
    """A nested plain value in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {flat(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(flat, value))
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def environment_fact(name: str, value: object) -> str:
    """One fact about the machine in one line, with its unit: bytes as GiB, rates as they were measured."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if name in ("memory", "memory_allowed"):
            return f"{value / 2**30:.1f} GiB"
        if name in RATES:
            return f"{value:.1f} {RATES[name]}"
    return flat(value)
