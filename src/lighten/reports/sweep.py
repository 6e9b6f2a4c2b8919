"""What the report of a training says of the search for its settings: every trial, and which settings mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from lighten.core.sweep import FINISHED, STOPPED, SweepRecord, TrialRecord
from lighten.core.training import TrainingResult
from lighten.reports.bars import bars
from lighten.reports.curves import Line, curve
from lighten.reports.markup import Both, data, said
from lighten.reports.numbers import amount, count, duration, number, share
from lighten.reports.templates import render
from lighten.reports.words import WORDS, say

MOST = 200
"""Trials that the page lists."""


def sweep_section(result: TrainingResult) -> Markup:
    """The section of the page; nothing without a search."""
    sweep = result.sweep
    if sweep is None:
        return Markup("")
    every = ranked(sweep)
    names = [*sweep.ranges]
    return render(
        "sweep",
        lead=Both(partial(_lead, result, sweep)),
        notes=[*_notes(result, sweep)],
        figure=_by_trial(sweep, shares=result.shares),
        importance=bars(
            lambda lang: say(lang, "sweep.importance"),
            [(partial(setting_name, name=name), value) for name, value in sweep.importance.items()],
        ),
        importance_lead=said("sweep.importance.lead", method=sweep.method, share=share(sweep.at))
        if sweep.importance
        else said("sweep.importance.none"),
        shares=result.shares,
        names=[Both(partial(setting_name, name=name)) for name in names],
        rows=[_row(one, sweep, names, shares=result.shares) for one in every[:MOST]],
        shown=said("sweep.trials.shown", shown=MOST, n=count(len(every))) if len(every) > MOST else "",
    )


def ranked(sweep: SweepRecord) -> list[TrialRecord]:
    """The trials, the winner first, then by their scores; what was not judged comes last."""

    def place(one: TrialRecord) -> tuple[Any, ...]:
        known = one.score is not None and one.loss is not None
        return one.number != sweep.winner, not known, *((-one.rank[0], -one.rank[1]) if known else ()), one.number

    return sorted(sweep.trials, key=place)


def searched(result: TrainingResult, lang: str) -> str:
    """Where its settings come from, in a sentence; empty without a search."""
    sweep = result.sweep
    if sweep is None:
        return ""
    return say(lang, "sweep.found", n=count(len(sweep.trials)), time=duration(lang, sweep.seconds))


def setting_name(lang: str, name: str) -> str:
    """What a setting is called; the name itself when nobody wrote another one down."""
    key = f"sweep.{name}"
    return say(lang, key) if key in WORDS else name.replace("_", " ")


def setting_value(value: Any) -> str:
    """A setting as people read it."""
    if isinstance(value, float):
        return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"
    return str(value)


def score_of(trial: TrialRecord, *, shares: bool) -> str:
    """The best score of a trial as per cent, or its loss; a dash where nothing was judged."""
    if trial.score is None or trial.loss is None:
        return "–"
    return amount("en", trial.score, "fraction") if shares else number(trial.loss, 4)


def state_of(trial: TrialRecord, lang: str) -> str:
    """How a trial ended."""
    if trial.state == STOPPED:
        return say(lang, "sweep.at", share=share(trial.fraction))
    return say(lang, f"sweep.{trial.state}")


def _lead(result: TrainingResult, sweep: SweepRecord, lang: str) -> str:
    states = [one.state for one in sweep.trials]
    return say(
        lang,
        "sweep.lead",
        n=count(len(states)),
        judged=say(lang, "sweep.rows" if result.shares else "sweep.windows", n=count(sweep.judged)),
        stopped=count(states.count(STOPPED)),
        failed=count(len(states) - states.count(STOPPED) - states.count(FINISHED)),
        winner=sweep.winner,
    )


def _notes(result: TrainingResult, sweep: SweepRecord) -> Sequence[Both]:
    found = []
    if len(sweep.trials) < sweep.asked:
        found.append(said("sweep.fewer", asked=count(sweep.asked), n=count(len(sweep.trials))))
    if sweep.given:
        listed = Both(
            lambda lang: ("、" if lang == "zh" else ", ").join(
                f"{setting_name(lang, n)} {setting_value(v)}" for n, v in sweep.given.items()
            )
        )
        found.append(Both(lambda lang: say(lang, "sweep.given", given=listed[lang])))
    error = standard_error(sweep)
    if result.shares and error:
        found.append(said("sweep.chance", n=count(sweep.judged), error=number(100 * error, 2)))
    return found


def standard_error(sweep: SweepRecord) -> float:
    """Of the best score, a share of rows."""
    right = sweep.best.score or 0.0
    return math.sqrt(max(right * (1.0 - right), 0.0) / max(sweep.judged, 1))


def _by_trial(sweep: SweepRecord, *, shares: bool) -> Markup:
    """Scores, or losses where those are no shares, by the number of the trial; and the best so far."""
    known = [one for one in sweep.trials if one.score is not None and one.loss is not None]
    points = {one.number: (one.score if shares else one.loss) or 0.0 for one in known}
    ended, others = (
        [(float(one.number), points[one.number]) for one in known if (one.state == FINISHED) == done]
        for done in (True, False)
    )
    best: list[tuple[float, float]] = []
    for at, value in ended:
        best.append((at, (max if shares else min)(value, best[-1][1]) if best else value))
    if best:  # it stands until the last trial
        best.append((float(len(sweep.trials)), best[-1][1]))
    return curve(
        lambda lang: say(lang, "sweep.by_trial" if shares else "sweep.by_trial.loss"),
        [
            Line(others, "learned", lambda lang: say(lang, "sweep.stopped"), dots=True, joined=False),
            Line(ended, "judged", lambda lang: say(lang, "sweep.finished"), dots=True, joined=False),
            Line(best, "rate", lambda lang: say(lang, "sweep.best"), stairs=True),
        ],
        share=shares,
        across="sweep.across",
        whole=True,
    )


def _row(one: TrialRecord, sweep: SweepRecord, names: Sequence[str], *, shares: bool) -> Mapping[str, Any]:
    return {
        "number": one.number,
        "won": one.number == sweep.winner,
        "default": one.number == 1,
        "score": score_of(one, shares=shares),
        "state": Both(partial(state_of, one)),
        "reason": data(one.reason) if one.state not in (FINISHED, STOPPED) else "",
        "values": [setting_value(one.settings[name]) for name in names],
        "time": Both(lambda lang: duration(lang, one.seconds)),
    }
