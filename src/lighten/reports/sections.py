"""The first half of the page: what was found, the frontier, the proof, the nearest misses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from markupsafe import Markup

from lighten.core.result import HIGHER, Candidate, Result
from lighten.core.summary import Summary, Winner
from lighten.proof import Verdict
from lighten.reports.baselines import is_baseline, missed_sentence, ratio_of, ratio_words, told_alike
from lighten.reports.constant import constant_sentence
from lighten.reports.describe import (
    findings,
    meters_shown,
    method_text,
    needed_text,
    opened_sentence,
    power_sentence,
    unit_of,
)
from lighten.reports.drawing import interval_svg
from lighten.reports.figure import frontier_svg
from lighten.reports.marks import interval, points
from lighten.reports.markup import Both, data, said
from lighten.reports.numbers import amount, count, loss
from lighten.reports.recipes import engine_words, recipe_text, recipe_words
from lighten.reports.standing import example, nearest_misses, quality_metric, standing
from lighten.reports.templates import render
from lighten.reports.told import Told
from lighten.reports.values import pair_of, reason_of, roofline_of, title_of, unit_of_name, value_of
from lighten.reports.words import capital, quantity, say

TILES = ("p50", "rows_per_second", "memory", "size", "cpu", "p95")
WRITING_TILES = ("decode", "prefill", "memory", "size", "decode16", "tpot")
MOST_TILES = 6


def hero(summary: Summary) -> Markup:
    """The verdict in one sentence, how the winner was made, what was asked for, and the numbers that matter most."""
    winner = summary.winner
    known = example(summary, summary.budget.minimize)
    return render(
        "hero",
        state=summary.state,
        alarm=Both(lambda lang: constant_sentence(summary.constant, lang)),
        found=Both(lambda lang: findings(summary, lang)[0]),
        also=Both(lambda lang: " ".join(findings(summary, lang)[1:])),
        winner=winner,
        words=Both(lambda lang: recipe_words(summary, winner.recipe, lang) if winner else ""),
        recipe=recipe_text(winner.recipe) if winner else "",
        engine=Both(lambda lang: engine_words(summary, winner.engine, lang) if winner else ""),
        accept=summary.nearest.command if summary.nearest is not None else "",
        budget=summary.budget,
        verb="maximize" if known is not None and known.direction == HIGHER else "minimize",
        tiles=_tiles(summary),
    )


def _tiles(summary: Summary) -> list[Mapping[str, Any]] | None:
    """The numbers that matter most; None without a winner."""
    winner, original = summary.winner, summary.candidate(summary.original)
    if winner is None or original is None:
        return None
    names = dict.fromkeys([summary.budget.minimize, *(WRITING_TILES if summary.writes else TILES)])
    tiles = [_tile(summary, name, winner, original) for name in names if name in winner.ratio and name in winner.meters]
    for verdict in [Verdict.from_json(v) for v in summary.verdicts[:1]]:
        unit = unit_of(summary, verdict.metric)
        what = Both(partial(_proved, verdict.metric))
        start = pair_of(verdict.original, verdict.candidate, unit)
        changed = Both(Told.of(verdict, unit).changed)
        tiles.insert(1, {"what": what, "big": changed, "before": start, "roofline": None, "css": "words"})
    return tiles[:MOST_TILES]


def _proved(metric: str, lang: str) -> str:
    return say(lang, "proof.part", metric=capital(quantity(lang, metric)))


def _tile(summary: Summary, name: str, winner: Winner, original: Candidate) -> Mapping[str, Any]:
    mine, first = winner.meters[name], original.results.get(name)
    before = first.value if first else None
    tile: dict[str, Any] = {
        "what": title_of(name),
        "big": Both(lambda lang: ratio_of(winner, name, lang)),
        "before": pair_of(before, mine.value, mine.unit),
        "roofline": roofline_of(summary, winner.key, name),
        "css": "aim" if name == summary.budget.minimize else "",
    }
    if first is not None and not told_alike(summary, name, mine.unit):  # per byte here and per token there
        start = Markup("{} · {} {}")
        was = start.format(unit_of_name(mine.unit), said("column.original"), value_of(before, first.unit))
        return {**tile, "big": value_of(mine.value, ""), "before": was, "roofline": None}
    return tile


def frontier(summary: Summary) -> Markup:
    """The figure, once wide and once narrow, and one tooltip per candidate in it."""
    shown = points(summary)
    figures = frontier_svg(summary, width=1008, height=470) + frontier_svg(summary, width=380, height=430)
    keys = ["frontier.lead", *(["frontier.bars"] if any(point.interval for point in shown) else [])]
    return render(
        "frontier",
        lead=Both(lambda lang: ("" if lang == "zh" else " ").join(say(lang, key) for key in keys)),
        figures=Markup(figures),
        tips=[_tip(summary, point.key) for point in shown],
        metric=quality_metric(summary),
        missed=Both(lambda lang: missed_sentence(summary, lang)),
        has_baselines=any(is_baseline(summary, candidate) and candidate.results for candidate in summary.candidates),
    )


def _tip(summary: Summary, key: int) -> Mapping[str, Any]:
    candidate = summary.candidate(key)
    assert candidate is not None
    place = standing(summary, candidate)
    rows = []
    for name in meters_shown(summary):
        result = candidate.results.get(name)
        if result is not None and result.value is not None:
            reading = _reading(result, compared=key != summary.original)
            rows.append({"name": name, "reading": reading, "roofline": roofline_of(summary, key, name)})
    ends = interval(candidate.results[quality_metric(summary)])
    return {
        "candidate": candidate,
        "status": place.status,
        "rows": rows,
        "ends": [f"{100 * end:.2f}%" for end in ends] if ends is not None else None,
        "why": reason_of(summary, candidate, place),
    }


def _reading(result: Result, *, compared: bool) -> Both:
    """A value with its spread and, where it is compared, its ratio to the original."""

    def text(lang: str) -> str:
        share = result.unit == "fraction"
        width = loss(lang, result.spread or 0.0, "fraction") if share else amount(lang, result.spread, "")
        spread = f" ± {width}" if result.spread else ""
        times = ratio_words(result, lang) if compared else ""
        return f"{amount(lang, result.value, result.unit)}{spread}{f' · {times}' if times else ''}"

    return Both(text)


def proof(summary: Summary) -> Markup:
    """Every gate with its numbers and interval, the sequence of tests, and what the rows can prove."""
    whose = summary.candidate(summary.tested[-1].key) if summary.winner is None and summary.tested else None
    tested = []
    for test in summary.tested:
        candidate = summary.candidate(test.key)
        tested.append((candidate.name if candidate else test.key, [Verdict.from_json(v) for v in test.verdicts]))
    powers = [(power, unit_of(summary, power.metric)) for power in summary.power]
    return render(
        "proof",
        opened=Both(lambda lang: opened_sentence(summary, lang)),
        packed=summary.packed,
        whose=whose.name if whose else "",
        gates=[_gate(v, unit_of(summary, v.metric)) for v in map(Verdict.from_json, summary.verdicts)],
        tested=tested,
        power=[Both(partial(power_sentence, power, unit)) for power, unit in powers],
    )


def _gate(verdict: Verdict, unit: str) -> Mapping[str, Any]:
    told = Told.of(verdict, unit)
    facts: list[tuple[str, object]] = [
        (told.measured, Both(told.changed)),
        ("proof.upper" if told.rises else "proof.lower", Both(told.bound)),
        (told.asked, Both(told.allowed)),
        *([("proof.group", data(verdict.group))] if verdict.group else []),
        ("proof.rows", count(verdict.n)),
    ]
    if verdict.units != verdict.n:
        facts.append(("proof.units", count(verdict.units)))
    if verdict.b is not None and verdict.c is not None:
        facts += [("proof.b", f"b = {count(verdict.b)}"), ("proof.c", f"c = {count(verdict.c)}")]
    facts.append(("proof.values", pair_of(verdict.original, verdict.candidate, unit)))
    settle = Both(lambda lang: needed_text(verdict, lang)) if verdict.needed is not None else None
    method = Both(lambda lang: method_text(verdict, lang))
    return {
        "verdict": verdict, "facts": facts, "method": method, "settle": settle, "drawing": interval_svg(verdict, unit),
    }  # fmt: skip


def nearest(summary: Summary) -> Markup:
    """For a run that met nothing: the candidates that came nearest and what each lacks."""
    if summary.state not in ("nothing_met", "missed"):
        return Markup("")
    found = [
        {"name": candidate.name, "status": place.status, "why": reason_of(summary, candidate, place)}
        for candidate, place in nearest_misses(summary)
    ]
    return render("nearest", found=found) if found else Markup("")
