"""The first half of the page: what was found, the frontier, the baseline ladder, the proof, the nearest misses."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.power import Power
from lighten.core.result import Candidate, Result
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
from lighten.reports.drawing import badge, interval_svg
from lighten.reports.figure import frontier_svg
from lighten.reports.marks import interval, points
from lighten.reports.markup import both, data, esc, said
from lighten.reports.numbers import amount, count, loss, unit_name
from lighten.reports.recipes import engine_words, recipe_text, recipe_words
from lighten.reports.standing import example, nearest_misses, quality_metric, standing
from lighten.reports.told import Told
from lighten.reports.values import (
    name_of,
    pair_of,
    reason_of,
    roof_of,
    title_of,
    value_of,
)
from lighten.reports.words import capital, quantity, say

NOTE, LEAD = 'class="note"', 'class="lead"'
TILES = ("p50", "rows_per_second", "memory", "size", "cpu", "p95")
WRITING_TILES = ("decode", "prefill", "memory", "size", "decode16", "tpot")


def section(name: str, body: str, lead: str = "") -> str:
    """A section with its heading; nothing when it has no body."""
    if not body:
        return ""
    return f'<section id="{name}">{said(f"{name}.title", "h2")}{lead}{body}</section>'


def hero(summary: Summary) -> str:
    """The verdict in one sentence, how the winner was made, what was asked for, and the numbers that matter most."""
    state = f'<span class="state {summary.state}">{said(f"state.{summary.state}")}</span>'
    alarm = (
        both(lambda lang: constant_sentence(summary.constant, lang), "p", 'class="alarm"') if summary.constant else ""
    )
    title = f"{alarm}<h1>{both(lambda lang: findings(summary, lang)[0])}</h1>"
    if len(findings(summary, "en")) > 1:
        title += both(lambda lang: " ".join(findings(summary, lang)[1:]), "p", 'class="also"')
    made = ""
    if summary.winner is not None:
        made = _made(summary, summary.winner)
    elif summary.state == "interrupted":
        made = said("say.resume", "p", 'class="made"')
    if summary.nearest is not None and summary.nearest.command:
        title = f"{said('accept.title')}{said('page.colon')}"
        made += f'<p class="made">{title}<code>{esc(summary.nearest.command)}</code></p>'
    return f'<div class="hero">{state}{title}{made}{_budget(summary)}</div>{_tiles(summary)}'


def _made(summary: Summary, winner: Winner) -> str:
    """The winner's recipe in words, where there are words for all of it, then exactly, and its engine."""
    words = both(lambda lang: recipe_words(summary, winner.recipe, lang), "p", 'class="made"')
    recipe = esc(recipe_text(winner.recipe)) or said("recipe.none")
    known = ""
    if engine_words(summary, winner.engine, "en"):
        known = f" ({both(lambda lang: engine_words(summary, winner.engine, lang))})"
    exact = f'<p class="made"><span class="mono">{recipe}</span> @ {data(winner.engine, "mono")}{known}</p>'
    return (words if recipe_words(summary, winner.recipe, "en") else "") + exact


def _budget(summary: Summary) -> str:
    budget = summary.budget
    parts = [f"{said('budget.keep')} <code>{esc(bound.text)}</code>" for bound in budget.keep]
    parts += [f"{said('budget.under')} <code>{esc(bound.text)}</code>" for bound in budget.under]
    known = example(summary, budget.minimize)
    verb = "budget.maximize" if known is not None and known.direction == "higher" else "budget.minimize"
    parts.append(f"{said(verb)} {name_of(budget.minimize)}")
    return f'<p class="note">{said("budget.title")}{said("page.colon")}{" · ".join(parts)}</p>'


def _tiles(summary: Summary) -> str:
    winner, original = summary.winner, summary.candidate(summary.original)
    if winner is None or original is None:
        return ""
    names = dict.fromkeys([summary.budget.minimize, *(WRITING_TILES if summary.writes else TILES)])
    tiles = [_tile(summary, name, winner, original) for name in names if name in winner.ratio and name in winner.meters]
    for verdict in [Verdict.from_json(v) for v in summary.verdicts[:1]]:
        unit = unit_of(summary, verdict.metric)
        start = pair_of(verdict.original, verdict.candidate, unit)
        changed = both(Told.of(verdict, unit).changed)
        tiles.insert(1, _tile_markup(_proved(verdict.metric), changed, start, " words"))
    return f'<div class="tiles">{"".join(tiles[:6])}</div>'


def _proved(metric: str) -> str:
    return both(lambda lang: say(lang, "proof.part", metric=capital(quantity(lang, metric))))


def _tile(summary: Summary, name: str, winner: Winner, original: Candidate) -> str:
    mine, first = winner.meters[name], original.results.get(name)
    before = first.value if first else None
    start = pair_of(before, mine.value, mine.unit) + roof_of(summary, winner.key, name, "div", "")
    big = both(lambda lang: ratio_of(winner, name, lang))
    if first is not None and not told_alike(summary, name, mine.unit):  # per byte here and per token there
        was = f"{said('column.original')} {value_of(before, first.unit)}"
        big, start = value_of(mine.value, ""), f"{both(lambda lang: unit_name(lang, mine.unit))} · {was}"
    css = " aim" if name == summary.budget.minimize else ""
    return _tile_markup(title_of(name), big, start, css)


def _tile_markup(what: str, big: str, start: str, css: str = "") -> str:
    inside = f'<div class="what">{what}</div><div class="big">{big}</div><div class="from">{start}</div>'
    return f'<div class="tile{css}">{inside}</div>'


def frontier(summary: Summary) -> str:
    """The figure, once wide and once narrow, and one tooltip per candidate in it."""
    shown = points(summary)
    tips = "".join(_tip(summary, point.key) for point in shown)
    figures = frontier_svg(summary, width=1008, height=470) + frontier_svg(summary, width=380, height=430)
    keys = ["frontier.lead", *(["frontier.bars"] if any(point.interval for point in shown) else [])]
    lead = both(lambda lang: ("" if lang == "zh" else " ").join(say(lang, key) for key in keys), "p", LEAD)
    body = f'<div class="card plot">{figures}{tips}</div>{_about_baselines(summary)}'
    return section("frontier", body, lead)


def _about_baselines(summary: Summary) -> str:
    """That no cheap baseline is good enough, and what their numbers count; nothing for other models."""
    missed = both(lambda lang: missed_sentence(summary, lang), "p", NOTE) if missed_sentence(summary, "en") else ""
    found = any(is_baseline(summary, candidate) and candidate.results for candidate in summary.candidates)
    return missed + (said("baseline.bytes", "p", NOTE) if found else "")


def _tip(summary: Summary, key: int) -> str:
    candidate = summary.candidate(key)
    assert candidate is not None
    place = standing(summary, candidate)
    rows = []
    for name in meters_shown(summary):
        result = candidate.results.get(name)
        if result is not None and result.value is not None:
            shown = replace(result, ratio=None) if key == summary.original else result
            rows.append(f"<dt>{name_of(name)}</dt><dd>{_reading(shown)}{roof_of(summary, key, name)}</dd>")
    ends = interval(candidate.results[quality_metric(summary)])
    sure = ""
    if ends is not None:
        low, high = (f"{100 * end:.2f}%" for end in ends)
        title = f"{title_of(quality_metric(summary))}{said('page.colon')}"
        sure = f"<p>{title}{said('frontier.interval', low=low, high=high)}</p>"
    reason = reason_of(summary, candidate, place, "p")
    head = f"<b>{data(candidate.name)}</b>{badge('status', place.status)}"
    return f'<div class="tip" id="tip-{key}" role="tooltip" hidden>{head}<dl>{"".join(rows)}</dl>{sure}{reason}</div>'


def _reading(result: Result) -> str:
    def text(lang: str) -> str:
        share = result.unit == "fraction"
        width = loss(lang, result.spread or 0.0, "fraction") if share else amount(lang, result.spread, "")
        spread = f" ± {width}" if result.spread else ""
        fair = ratio_words(result, lang)
        times = f" · {fair}" if fair else ""
        return f"{amount(lang, result.value, result.unit)}{spread}{times}"

    return both(text)


def proof(summary: Summary) -> str:
    """Every gate with its numbers and interval, the sequence of tests, and what the rows can prove."""
    verdicts = [Verdict.from_json(v) for v in summary.verdicts]
    gates = "".join(_gate(verdict, unit_of(summary, verdict.metric)) for verdict in verdicts)
    whose = summary.candidate(summary.tested[-1].key) if summary.winner is None and summary.tested else None
    title = f"<h3>{data(whose.name)}</h3>" if whose else ""
    if summary.packed:
        title = said("proof.file", "p", LEAD) + title
    body = f'{title}<div class="card">{gates}</div>' if gates else said("proof.none", "p")
    if summary.tested:
        items = "".join(
            _test(summary, test.key, [Verdict.from_json(v) for v in test.verdicts]) for test in summary.tested
        )
        body += f'{said("proof.sequence", "h3")}<ol class="steps">{items}</ol>{said("proof.ends", "p", NOTE)}'
    if summary.power:
        items = "".join(f"<li>{_power(power, unit_of(summary, power.metric))}</li>" for power in summary.power)
        body += f'{said("proof.power", "h3")}<ul class="plain">{items}</ul>'
    lead = said("proof.lead", "p", LEAD)
    if summary.opened is not None:
        lead += both(lambda lang: opened_sentence(summary, lang), "p", LEAD)
    return section("proof", body, lead)


def _power(power: Power, unit: str) -> str:
    return both(lambda lang: power_sentence(power, unit, lang))


def _gate(verdict: Verdict, unit: str) -> str:
    told = Told.of(verdict, unit)
    facts = [
        (told.measured, both(told.changed)),
        ("proof.upper" if told.rises else "proof.lower", both(told.bound)),
        (told.asked, both(told.allowed)),
        *([("proof.group", data(verdict.group))] if verdict.group else []),
        ("proof.rows", esc(count(verdict.n))),
    ]
    if verdict.units != verdict.n:
        facts.append(("proof.units", esc(count(verdict.units))))
    if verdict.b is not None and verdict.c is not None:
        facts += [("proof.b", esc(f"b = {count(verdict.b)}")), ("proof.c", esc(f"c = {count(verdict.c)}"))]
    facts.append(("proof.values", pair_of(verdict.original, verdict.candidate, unit)))
    pairs = "".join(f"<div>{said(key, 'dt')}<dd>{value}</dd></div>" for key, value in facts)
    method = both(lambda lang: method_text(verdict, lang), "p", NOTE)
    settle = both(lambda lang: needed_text(verdict, lang), "p", NOTE) if verdict.needed is not None else ""
    name = f"<h3>{title_of(verdict.metric)} {badge('verdict', verdict.state)}</h3>"
    left = f'<div>{name}<dl class="facts">{pairs}</dl>{method}{settle}</div>'
    return f'<div class="gate">{left}{interval_svg(verdict, unit)}</div>'


def _test(summary: Summary, key: int, verdicts: list[Verdict]) -> str:
    candidate = summary.candidate(key)
    parts = [f"<b>{data(candidate.name if candidate else key)}</b>"]
    for verdict in verdicts:
        name = name_of(verdict.metric)
        parts.append(f"<span>{name} {badge('verdict', verdict.state)}</span>")
    return f"<li>{''.join(parts)}</li>"


def nearest(summary: Summary) -> str:
    """For a run that met nothing: the candidates that came nearest and what each lacks."""
    if summary.state not in ("nothing_met", "missed"):
        return ""
    items = []
    for candidate, place in nearest_misses(summary):
        reason = reason_of(summary, candidate, place)
        items.append(f"<li><b>{data(candidate.name)}</b> {badge('status', place.status)}<span>{reason}</span></li>")
    body = f'<ol class="steps">{"".join(items)}</ol>' if items else ""
    return section("nearest", body, said("nearest.lead", "p", LEAD))
