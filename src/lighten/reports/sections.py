"""The first half of the page: what was found, the frontier, the baseline ladder, the proof, the nearest misses."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.result import Candidate, Result
from lighten.core.summary import Power, Summary, Winner
from lighten.proof import Verdict
from lighten.reports.describe import capital, findings, meters_shown, method_text, power_sentence, recipe_text, unit_of
from lighten.reports.drawing import badge, bar_svg, interval_svg
from lighten.reports.figure import frontier_svg
from lighten.reports.marks import interval, points
from lighten.reports.markup import both, data, esc, said
from lighten.reports.numbers import amount, count, loss, ratio
from lighten.reports.standing import example, nearest_misses, quality_metric, standing
from lighten.reports.values import (
    bare_value_of,
    change_of,
    heading_of,
    name_of,
    number_cell,
    pair_of,
    reason_of,
    table_of,
    title_of,
)
from lighten.reports.words import quantity, say

NOTE, LEAD = 'class="note"', 'class="lead"'
TILES = ("p50", "rows_per_second", "memory", "size", "cpu", "p95")


def section(name: str, body: str, lead: str = "") -> str:
    """A section with its heading; nothing when it has no body."""
    if not body:
        return ""
    return f'<section id="{name}">{said(f"{name}.title", "h2")}{lead}{body}</section>'


def hero(summary: Summary) -> str:
    """The verdict in one sentence, how the winner was made, what was asked for, and the numbers that matter most."""
    state = f'<span class="state {summary.state}">{said(f"state.{summary.state}")}</span>'
    title = f"<h1>{both(lambda lang: findings(summary, lang)[0])}</h1>"
    if len(findings(summary, "en")) > 1:
        title += both(lambda lang: " ".join(findings(summary, lang)[1:]), "p", 'class="also"')
    made = ""
    if summary.winner is not None:
        recipe = esc(recipe_text(summary.winner.recipe)) or said("recipe.none")
        made = f'<p class="made"><span class="mono">{recipe}</span> @ {data(summary.winner.engine, "mono")}</p>'
    elif summary.state == "interrupted":
        made = said("say.resume", "p", 'class="made"')
    return f'<div class="hero">{state}{title}{made}{_budget(summary)}</div>{_tiles(summary)}'


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
    names = dict.fromkeys([summary.budget.minimize, *TILES])
    tiles = [_tile(summary, name, winner, original) for name in names if name in winner.ratio and name in winner.meters]
    for verdict in [Verdict.from_json(v) for v in summary.verdicts[:1]]:
        unit = unit_of(summary, verdict.metric)
        start = pair_of(verdict.original, verdict.candidate, unit)
        tiles.insert(1, _tile_markup(_proved(verdict.metric), change_of(verdict.difference, unit), start, " words"))
    return f'<div class="tiles">{"".join(tiles[:6])}</div>'


def _proved(metric: str) -> str:
    return both(lambda lang: say(lang, "proof.part", metric=capital(quantity(lang, metric))))


def _tile(summary: Summary, name: str, winner: Winner, original: Candidate) -> str:
    mine, first = winner.meters[name], original.results.get(name)
    before = first.value if first else None
    start = pair_of(before, mine.value, mine.unit)
    css = " aim" if name == summary.budget.minimize else ""
    return _tile_markup(title_of(name), esc(ratio(winner.ratio[name])), start, css)


def _tile_markup(what: str, big: str, start: str, css: str = "") -> str:
    inside = f'<div class="what">{what}</div><div class="big">{big}</div><div class="from">{start}</div>'
    return f'<div class="tile{css}">{inside}</div>'


def frontier(summary: Summary) -> str:
    """The figure, once wide and once narrow, and one tooltip per candidate in it."""
    tips = "".join(_tip(summary, point.key) for point in points(summary))
    figures = frontier_svg(summary, width=1008, height=470) + frontier_svg(summary, width=380, height=430)
    return section("frontier", f'<div class="card plot">{figures}{tips}</div>', said("frontier.lead", "p", LEAD))


def _tip(summary: Summary, key: int) -> str:
    candidate = summary.candidate(key)
    assert candidate is not None
    place = standing(summary, candidate)
    rows = []
    for name in meters_shown(summary):
        result = candidate.results.get(name)
        if result is not None and result.value is not None:
            shown = replace(result, ratio=None) if key == summary.original else result
            rows.append(f"<dt>{name_of(name)}</dt><dd>{_reading(shown)}</dd>")
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
        times = f" · {ratio(result.ratio)}" if result.ratio else ""
        return f"{amount(lang, result.value, result.unit)}{spread}{times}"

    return both(text)


def ladder(summary: Summary) -> str:
    """The baseline ladder as a table: value, ratio to the original, and a bar for what is minimized."""
    if not summary.baseline:
        return ""
    names = meters_shown(summary)[:8]
    titles = [heading_of(name, unit_of(summary, name)) for name in names]
    heads = ['<th scope="col"></th>', *(f'<th scope="col" class="num">{title}</th>' for title in titles)]
    gains = [_gain(summary, rung.key) for rung in summary.baseline]
    rows = []
    for rung, gain in zip(summary.baseline, gains, strict=True):
        candidate = summary.candidate(rung.key)
        under = data(candidate.name) if candidate else said("ladder.missing") + f" {data(rung.note)}"
        cells = "".join(_ladder_cell(summary, candidate, name, rung.rung, gain, max(gains)) for name in names)
        title = f'<th scope="row">{said(f"rung.{rung.rung}")}<span class="sub">{under}</span></th>'
        rows.append(f'<tr class="{rung.rung}">{title}{cells}</tr>')
    body = f'<div class="card scroll">{table_of(heads, rows)}</div>{unknown_notes(summary)}'
    return section("ladder", body, said("ladder.lead", "p", LEAD))


def _gain(summary: Summary, key: int | None) -> float:
    candidate = summary.candidate(key)
    result = candidate.results.get(summary.budget.minimize) if candidate else None
    return result.ratio or 0.0 if result else 0.0


def _ladder_cell(summary: Summary, candidate: Candidate | None, name: str, rung: str, gain: float, most: float) -> str:
    result = candidate.results.get(name) if candidate else None
    heading = heading_of(name, unit_of(summary, name))
    if result is None:
        return number_cell(heading, "–")
    value = bare_value_of(result.value, result.unit)
    under = ""
    if result.ratio is not None and candidate is not None and candidate.key != summary.original:
        tone = " up" if result.ratio > 1.05 else " down" if result.ratio < 0.95 else ""
        under = f'<span class="sub{tone}">{esc(ratio(result.ratio))}</span>'
    bar = bar_svg(gain / most, rung) if name == summary.budget.minimize and most > 0 else ""
    return number_cell(heading, f"{value}{under}{bar}")


def unknown_notes(summary: Summary) -> str:
    """Why quantities that nobody could measure are unknown, one line each."""
    lines = []
    for name in meters_shown(summary):
        known = [c.results[name] for c in summary.candidates if name in c.results]
        if known and all(result.value is None for result in known):
            lines.append(_unknown(name, known[0].note))
    return "".join(lines)


def _unknown(name: str, reason: str) -> str:
    if not reason:
        return f'<p class="note">{title_of(name)}{said("page.colon")}{said("number.unknown")}</p>'

    def text(lang: str) -> str:
        return say(lang, "number.unknown_because", quantity=capital(quantity(lang, name)), reason=reason)

    return both(text, "p", NOTE)


def proof(summary: Summary) -> str:
    """Every gate with its numbers and interval, the sequence of tests, and what the rows can prove."""
    verdicts = [Verdict.from_json(v) for v in summary.verdicts]
    gates = "".join(_gate(verdict, unit_of(summary, verdict.metric)) for verdict in verdicts)
    whose = summary.candidate(summary.tested[-1].key) if summary.winner is None and summary.tested else None
    title = f"<h3>{data(whose.name)}</h3>" if whose else ""
    body = f'{title}<div class="card">{gates}</div>' if gates else said("proof.none", "p")
    if summary.tested:
        items = "".join(
            _test(summary, test.key, [Verdict.from_json(v) for v in test.verdicts]) for test in summary.tested
        )
        body += f'{said("proof.sequence", "h3")}<ol class="steps">{items}</ol>{said("proof.ends", "p", NOTE)}'
    if summary.power:
        items = "".join(f"<li>{_power(power, unit_of(summary, power.metric))}</li>" for power in summary.power)
        body += f'{said("proof.power", "h3")}<ul class="plain">{items}</ul>'
    return section("proof", body, said("proof.lead", "p", LEAD))


def _power(power: Power, unit: str) -> str:
    return both(lambda lang: power_sentence(power, unit, lang))


def _gate(verdict: Verdict, unit: str) -> str:
    facts = [
        ("proof.difference", change_of(verdict.difference, unit)),
        ("proof.lower", change_of(verdict.lower, unit, "down")),
        ("proof.margin", both(lambda lang: loss(lang, verdict.margin, unit))),
        ("proof.rows", esc(count(verdict.n))),
    ]
    if verdict.units != verdict.n:
        facts.append(("proof.units", esc(count(verdict.units))))
    if verdict.b is not None and verdict.c is not None:
        facts += [("proof.b", esc(f"b = {count(verdict.b)}")), ("proof.c", esc(f"c = {count(verdict.c)}"))]
    facts.append(("proof.values", pair_of(verdict.original, verdict.candidate, unit)))
    pairs = "".join(f"<div>{said(key, 'dt')}<dd>{value}</dd></div>" for key, value in facts)
    method = both(lambda lang: method_text(verdict, lang), "p", NOTE)
    settle = said("why.needed", "p", NOTE, needed=count(verdict.needed)) if verdict.needed is not None else ""
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
    if summary.state != "nothing_met":
        return ""
    items = []
    for candidate, place in nearest_misses(summary):
        reason = reason_of(summary, candidate, place)
        items.append(f"<li><b>{data(candidate.name)}</b> {badge('status', place.status)}<span>{reason}</span></li>")
    body = f'<ol class="steps">{"".join(items)}</ol>' if items else ""
    return section("nearest", body, said("nearest.lead", "p", LEAD))
