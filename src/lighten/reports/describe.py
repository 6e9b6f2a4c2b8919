"""Sentences about a run, in English or Chinese: what was found, why each candidate did not win, what was missed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from lighten.core.power import Power
from lighten.core.result import HIGHER, Candidate
from lighten.core.summary import Summary
from lighten.proof import Verdict
from lighten.proof.absolute import EXACT
from lighten.proof.bootstrap import BOOTSTRAP
from lighten.reports import ending
from lighten.reports.baselines import baseline_sentence, is_baseline
from lighten.reports.numbers import amount, bound, count, duration, level, loss, ratio, share, times
from lighten.reports.standing import Miss, Standing, example, quality_metric, standing
from lighten.reports.told import RELATIVE, Told
from lighten.reports.words import WORDS, capital, quantity, say

RATES = {"bandwidth": "GB/s", "arithmetic": "GFLOP/s"}
"""Units of the rates in the record of the machine."""
ORDER = ("p50", "p95", "rows_per_second", "cpu", "memory", "size", "load", "energy")
WRITING = (
    "decode", "decode_bytes", "prefill", "memory", "size", "decode16", "prefill_bytes", "ttft", "tpot", "decode4",
    "load",
)  # fmt: skip
"""Quantities in the order a reader wants them, and those of models that write."""


def headline(summary: Summary, lang: str) -> str:
    """What the run found, in one or two sentences; with every gate of the winner."""
    return ("" if lang == "zh" else " ").join(findings(summary, lang))


def findings(summary: Summary, lang: str) -> tuple[str, ...]:
    """What the run found, the sentence that matters most first."""
    more = (unsure_sentence(summary, lang), baseline_sentence(summary, lang))
    return (*_found(summary, lang), *filter(None, more))


def _found(summary: Summary, lang: str) -> tuple[str, ...]:
    if summary.state == "winner":
        gain, verdicts = gain_sentence(summary, lang), tuple(Verdict.from_json(v) for v in summary.verdicts)
        stop = "。" if lang == "zh" else "."
        against, close = ending.beside_the_winner(summary, lang), ending.close_ceilings(summary, lang)
        gap = "" if lang == "zh" else " "
        if not verdicts:
            return (gap.join([f"{gain}{stop}", *against]), *close)
        first = say(
            lang, "say.and", gain=gain, quality=_quality(verdicts[0], unit_of(summary, verdicts[0].metric), lang)
        )
        others = [_also(verdict, unit_of(summary, verdict.metric), lang) for verdict in verdicts[1:]]
        return (gap.join([first, *against]), *others, *close)
    if summary.state == "nothing_met":
        return ending.nothing_met(summary, lang, lambda candidate: why(summary, candidate, lang))
    if summary.state in ("missed", "unproved"):
        return ending.missed(summary, lang) if summary.state == "missed" else ending.unproved(summary, lang)
    made = [c for c in summary.candidates if c.key != summary.original]
    done = sum(c.state == "ok" for c in made)
    time = duration(lang, summary.seconds)
    return (say(lang, "say.interrupted", time=time, done=count(done), n=count(len(made))),)


def unsure_sentence(summary: Summary, lang: str) -> str:
    """That the winner's gain is unsure, and how to measure it again; empty when it is not."""
    winner = summary.winner
    if summary.state != "winner" or winner is None or summary.budget.minimize not in winner.unsure:
        return ""
    command = shlex.join(["lighten", "bench", summary.model, winner.path, "--data", summary.data.source])
    return say(lang, "say.unsure", command=command)


def opened_sentence(summary: Summary, lang: str) -> str:
    """That the proof rows were opened before; empty when they were not, as far as the ledger knows."""
    if summary.opened is None:
        return ""
    kind = "say.opened" if summary.opened.runs > 1 else "say.opened.once"
    values = {"runs": count(summary.opened.runs)} if summary.opened.runs > 1 else {}
    return say(lang, kind, rows=count(summary.opened.rows), **values)


def gain_sentence(summary: Summary, lang: str) -> str:
    """How much cheaper the winner is, in the quantity that was minimized; no full stop."""
    name = summary.budget.minimize
    gain = summary.winner.ratio.get(name) if summary.winner else None
    known = example(summary, name)
    if gain is None or gain <= 0 or known is None:
        return say(lang, "say.gain.none")
    spread = summary.winner.ratio_spread.get(name) if summary.winner else None
    values = {"ratio": ratio(gain, spread), "times": times(gain, spread), "quantity": compared(summary, name, lang)}
    if name == "rows_per_second":
        return say(lang, "say.gain.rows_per_second", **values)
    if known.direction == HIGHER:
        return say(lang, "say.gain.higher", **values)
    return say(lang, "say.gain.lower" if gain >= 1 else "say.gain.worse", share=share(1 / gain), **values)


def compared(summary: Summary, name: str, lang: str) -> str:
    """What the ratio of a quantity compares: the quantity, or text where that counts tokens."""
    known, key = example(summary, name), f"quantity.{name}.compared"
    in_bytes = any(c.results[name].ratio_unit for c in summary.candidates if name in c.results)
    return say(lang, key) if known is not None and in_bytes and key in WORDS else quantity(lang, name)


def _quality(verdict: Verdict, unit: str, lang: str) -> str:
    told = Told.of(verdict, unit)
    kind = f"say.quality.{_kind(verdict)}"
    if unit in RELATIVE:
        kind = "say.bits.level" if told.absolute else f"say.bits.{_bits(verdict, told)}"
    return say(lang, kind, n=count(verdict.n), confidence=share(verdict.confidence), **_said(verdict, told, lang))


def _also(verdict: Verdict, unit: str, lang: str) -> str:
    return say(lang, f"say.also.{_kind(verdict)}", **_said(verdict, Told.of(verdict, unit), lang))


def _said(verdict: Verdict, told: Told, lang: str) -> dict[str, str]:
    """What the sentences about a verdict have places for."""
    if told.absolute:
        values = {"value": told.bound(lang), "floor": told.allowed(lang)}
        return {"metric": _named(verdict, lang), "group": verdict.group, "rows": count(verdict.n), **values}
    return {
        "metric": _named(verdict, lang),
        "group": verdict.group,
        "rows": count(verdict.n),
        "change": loss(lang, abs(told.difference), told.unit),
        "loss": loss(lang, max(0.0, told.worst), told.unit, up=True),
        "margin": told.allowed(lang),
    }


def _bits(verdict: Verdict, told: Told) -> str:
    """How bits per byte changed: ``no_loss``, ``same``, ``more`` or ``fewer``."""
    if abs(told.difference) < 5e-5:
        return "same"
    kind = _kind(verdict)
    if kind != verdict.direction:
        return kind
    return "more" if told.difference > 0 else "fewer"


def _kind(verdict: Verdict) -> str:
    """Which sentence fits: about a loss or a value, of all rows or of every group."""
    kind = f"level_{verdict.direction}" if verdict.kind == "absolute" else verdict.direction
    if verdict.kind != "absolute" and verdict.lower >= 0:
        kind = "no_loss"
    return f"group_{kind}" if verdict.group else kind


def _named(verdict: Verdict, lang: str) -> str:
    """The metric in a sentence; where every group was judged, what was judged of each."""
    return (
        say(lang, key)
        if verdict.group and (key := f"within.{verdict.metric}") in WORDS
        else quantity(lang, verdict.metric)
    )


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
    told, gap = Told.of(verdict, unit), "" if lang == "zh" else " "
    low, high = told.ends(lang)
    values = {
        "metric": quantity(lang, verdict.metric),
        "difference": told.changed(lang),
        "lower": low,
        "upper": high,
        "loss": loss(lang, max(0.0, told.worst), told.unit, up=True),
        "margin": told.allowed(lang),
        "bound": told.bound(lang),
    }
    key = f"why.level.{verdict.state}.{verdict.direction}" if told.absolute else f"why.{verdict.state}"
    said = [say(lang, key, **values)]
    if verdict.group:
        said.append(say(lang, "why.group", group=verdict.group, n=count(verdict.n)))
    return gap.join(said + ([needed_text(verdict, lang)] if verdict.needed is not None else []))


def needed_text(verdict: Verdict, lang: str) -> str:
    """How many rows, or units, would settle a verdict that is open."""
    of = "group" if verdict.group else "all"
    what = "units" if verdict.units != verdict.n else "rows"
    return say(lang, f"why.needed.{of}.{what}", needed=count(verdict.needed or 0))


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
        value=amount(lang, miss.value, miss.unit, bare=miss.unit in RELATIVE),
        limit=bound(lang, miss.limit, miss.unit, bare=miss.unit in RELATIVE),
    )


METHODS = {
    "tango": "method.tango",
    "tango and exact": "method.tango_exact",
    EXACT: "method.exact",
    BOOTSTRAP: "method.bootstrap",
    f"{BOOTSTRAP}, and of Tango": "method.both",
    f"{BOOTSTRAP}, and of the {EXACT}": "method.exact_units",
}
"""How bounds were found, as verdicts name it, and the text about it."""


def method_text(verdict: Verdict, lang: str) -> str:
    """How the bounds of a verdict were found."""
    key = METHODS.get(verdict.method)
    method = say(lang, key) if key else verdict.method
    return say(lang, "proof.method", confidence=share(verdict.confidence), method=method)


def power_sentence(power: Power, unit: str, lang: str) -> str:
    """What the proof rows can prove, judged before the run: ``400 rows can be expected to prove 2 points, not 1``."""
    things = say(lang, f"power.{power.of}", n=count(power.n), which=power.which)
    metric, shown = quantity(lang, power.metric), power.provable if power.provable is not None else power.least
    if power.kind == "absolute":
        value, floor = level(lang, shown, unit), level(lang, power.margin, unit)
        return say(lang, "say.power.level", things=things, metric=metric, value=value, floor=floor)
    return say(
        lang,
        "say.power.can" if shown <= power.margin else "say.power.cannot",
        things=things,
        metric=metric,
        provable=loss(lang, shown, unit, up=True),
        margin=loss(lang, power.margin, unit),
    )


def unit_of(summary: Summary, metric: str) -> str:
    """Unit of a quantity; ``fraction`` when no candidate measured it."""
    known = example(summary, metric)
    return known.unit if known else "fraction"


def rung_name(summary: Summary, rung: str, candidate: Candidate | None, lang: str) -> str:
    """What stands on a rung of the baseline ladder: for a cheap baseline that it is one."""
    return say(lang, "rung.baseline" if candidate is not None and is_baseline(summary, candidate) else f"rung.{rung}")


def meters_shown(summary: Summary) -> tuple[str, ...]:
    """Quantities in the order a reader wants them: quality, what is minimized, then the others as measured."""
    seen = list(dict.fromkeys(name for candidate in summary.candidates for name in candidate.results))
    floors = [floor.metric for floor in summary.budget.keep]
    missed = [bound.metric for bound in summary.nearest.missed] if summary.nearest is not None else []
    first = [quality_metric(summary), *missed, summary.budget.minimize, *floors]
    order = (*WRITING, *ORDER) if summary.writes else (*ORDER, *WRITING)
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
