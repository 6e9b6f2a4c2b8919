"""Sentences about how a run ended without a clear winner: what was missed, by how much, and what would accept it."""

from __future__ import annotations

from collections.abc import Callable

from lighten.core.outcome import Bound
from lighten.core.result import HIGHER, Candidate
from lighten.core.summary import Summary
from lighten.reports.numbers import SPACE, loss, number, share, unit_name
from lighten.reports.words import capital, quantity, say

DIGITS = (3, 4, 5, 6)
"""Significant digits of a value and its limit: as few as tell them apart."""


def nothing_met(summary: Summary, lang: str, why: Callable[[Candidate], str]) -> tuple[str, ...]:
    """That nothing met the budget: what came nearest with what it misses, or why there is nothing to name.

    why: the sentence about a candidate that the proof did not confirm.
    """
    refuted = [t.key for t in summary.tested if any(verdict["state"] != "holds" for verdict in t.verdicts)]
    last = summary.candidate(refuted[-1]) if refuted else None
    if last is not None:
        return (say(lang, "say.nothing_met.refuted", number=last.key, name=last.name, why=why(last)),)
    if summary.nearest is not None:
        return _nearest(summary, "say.nothing_met.nearest", lang)
    return (
        say(lang, "say.nothing_met"),
        *(say(lang, f"empty.{reason.kind}", **reason.values) for reason in summary.reasons),
    )


def missed(summary: Summary, lang: str) -> tuple[str, ...]:
    """That what is proved missed a ceiling in the last measurement."""
    return _nearest(summary, "say.missed", lang)


def unproved(summary: Summary, lang: str) -> tuple[str, ...]:
    """That the original failed in the proof, and what there is."""
    made = [c for c in summary.candidates if c.key != summary.original]
    done = sum(c.state == "ok" for c in made)
    first = say(lang, "say.unproved", reason=summary.reason.splitlines()[0] if summary.reason else "")
    return first, say(lang, "say.unproved.more", done=f"{done:,}", n=f"{len(made):,}")


def beside_the_winner(summary: Summary, lang: str) -> tuple[str, ...]:
    """What the last measurement says against the winner: something cheaper that was never proved."""
    other = summary.candidate(summary.cheaper)
    best = summary.candidate(summary.winner.key) if summary.winner is not None else None
    mine, theirs = (c.results.get(summary.budget.minimize) if c else None for c in (best, other))
    if other is None or mine is None or theirs is None or mine.value is None or theirs.value is None:
        return ()
    value, limit = apart(theirs.value, mine.value, mine.unit, lang)
    return (say(lang, "say.cheaper", number=other.key, name=other.name, value=value, best=limit),)


def close_ceilings(summary: Summary, lang: str) -> tuple[str, ...]:
    """Ceilings that the winner meets or misses by less than two measurements differ."""
    found = []
    for bound in summary.ceilings:
        if bound.is_close and bound.value is not None:
            value, limit = apart(bound.value, bound.limit, bound.unit, lang)
            spread = with_unit(bound.spread, bound.unit, 2, lang)
            metric = capital(quantity(lang, bound.metric))
            found.append(say(lang, "say.close", metric=metric, value=value, spread=spread, limit=limit))
    return tuple(found)


def bound_text(bound: Bound, lang: str) -> str:
    """One bound that was missed: ``peak memory 195.1 MB where you allow 190 MB (2.7% over)``."""
    metric = quantity(lang, bound.metric)
    if bound.value is None:
        return say(lang, "bound.unknown", metric=metric)
    value, limit = apart(bound.value, bound.limit, bound.unit, lang)
    kind = "under" if bound.direction == HIGHER else "over"
    excess = tenths(bound.excess)
    if bound.unit == "fraction":
        kind, excess = (
            "points" if bound.direction == HIGHER else "over",
            loss(lang, abs(bound.value - bound.limit), "fraction"),
        )
    spread = say(lang, "bound.spread", spread=with_unit(bound.spread, bound.unit, 2, lang)) if bound.spread else ""
    return say(lang, f"bound.{kind}", metric=metric, value=value, limit=limit, excess=excess, spread=spread)


def apart(value: float, limit: float, unit: str, lang: str) -> tuple[str, str]:
    """A value and its limit with as few digits as tell them apart; the limit without needless zeros."""
    texts = [(with_unit(value, unit, digits, lang), with_unit(limit, unit, digits, lang)) for digits in DIGITS]
    found = next(((a, b) for a, b in texts if a != b), texts[-1])
    exact = [with_unit(limit, unit, digits, lang, trim=True) for digits in DIGITS]
    return found[0], exact[DIGITS.index(next((d for d, t in zip(DIGITS, texts, strict=True) if t == found), 3))]


def with_unit(value: float, unit: str, digits: int, lang: str, *, trim: bool = False) -> str:
    """A value with so many significant digits and its unit. trim: without trailing zeros."""
    if unit == "fraction":
        value, name, gap = 100 * value, "%", ""
    else:
        value, name, gap = value, unit_name(lang, unit), SPACE
    text = number(value, digits)
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text}{gap}{name}" if name else text


def tenths(part: float) -> str:
    """A share in per cent with two digits: ``2.7%``, ``0.4%``, ``38%``."""
    return f"{number(100 * part, 2)}%" if part < 1 else share(part)


def _nearest(summary: Summary, key: str, lang: str) -> tuple[str, ...]:
    nearest = summary.nearest
    candidate = summary.candidate(nearest.key) if nearest is not None else None
    if nearest is None or candidate is None:
        return (say(lang, "say.nothing_met"),)
    parts = [bound_text(bound, lang) for bound in nearest.missed]
    said = say(lang, key, number=nearest.key, name=candidate.name, missed=say(lang, "bound.and").join(parts))
    return said, say(lang, "say.missed.else" if nearest.proved else "say.missed.else_select")
