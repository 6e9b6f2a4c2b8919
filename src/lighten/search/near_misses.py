"""Near misses: the time that is left goes to candidates that keep every floor but miss a ceiling.

Nothing is trained for it. The cheapest comes first: other settings of the engine for the file that is there, those that
declare that they lessen what is missed (``Setting.saves``) before the others; then the same architecture quantized in
other ways. While nothing meets the budget there is nothing to prove, so what was kept back for the proof is spent on
this too: settings may take all of it, quantizing leaves what the proof of that one candidate takes.
"""

from __future__ import annotations

from dataclasses import replace

from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed, MissingExtra, ModelError
from lighten.core.recipe import engine_from, record_of
from lighten.core.result import Candidate
from lighten.core.space import Variant
from lighten.search.attempts import Attempts
from lighten.search.chance import LEAST_CHANCE
from lighten.search.racing import excess, promising
from lighten.search.serving import SECONDS_EACH, served_best

NEAR = 0.5
"""How far over a ceiling, as a share of it, a candidate may be that is worked on."""
MOST_WORKED_ON = 3
SAFE = 0.5
"""Chance to hold from which a candidate that meets every ceiling makes work on near misses idle."""


def near_misses(attempts: Attempts) -> list[Candidate]:
    """Candidates that may hold and miss only ceilings, none of them by more than ``NEAR``; the nearest first."""
    board, found = attempts.board, []
    for candidate in board.done.values():
        if candidate.key == 0 or candidate.state != "ok" or board.chance(candidate) < LEAST_CHANCE:
            continue
        over = excesses(attempts, candidate)
        if over and None not in over and 0 < max(o for o in over if o is not None) <= NEAR:
            misses = [o for o in over if o is not None and o > 0]
            found.append(((len(misses), max(misses), candidate.key), candidate))
    return [candidate for _, candidate in sorted(found, key=lambda one: one[0])]


def excesses(attempts: Attempts, candidate: Candidate) -> list[float | None]:
    """How far each ceiling is missed, as a share of it; at most 0 when it is met, None when that is unknown."""
    board = attempts.board
    return [excess(c, board.quantities[c.metric], candidate, board.original) for c in attempts.run.budget.under]


def is_met(attempts: Attempts) -> bool:
    """Whether a candidate meets the whole budget on ``select`` and is not unlikely to hold."""
    board, budget = attempts.board, attempts.run.budget
    return any(
        promising(c, board.original, budget, board.quantities) and board.chance(c) >= SAFE
        for c in board.done.values()
        if c.key
    )


def meet_what_is_missed(attempts: Attempts) -> None:
    """Work on the nearest candidates until one meets the budget or there is nothing left to try in the time."""
    worked: list[tuple[object, ...]] = []
    for _ in range(MOST_WORKED_ON):
        if is_met(attempts):
            return
        open_ones = [c for c in near_misses(attempts) if c.recipe not in worked]
        if not open_ones:
            return
        candidate = open_ones[0]
        worked.append(candidate.recipe)
        engine = _try_settings(attempts, candidate)
        if not is_met(attempts):
            _try_quantizations(attempts, candidate, engine)


def _try_settings(attempts: Attempts, candidate: Candidate) -> Engine:
    """Measure the candidate with the engine settings that miss least; returns the engine with these settings."""
    run, study = attempts.run, attempts.run.folder.study
    own = engine_from({"use": candidate.engine, **candidate.engine_settings})
    missed = [
        c.metric for c, by in zip(run.budget.under, excesses(attempts, candidate), strict=True) if by is None or by > 0
    ]
    engines = list(dict.fromkeys([own, *own.sparing(missed), *own.ways()]))
    known = study.recall(f"settings for {candidate.key}")
    if known is None:
        seconds = attempts.planning.settings(len(engines))
        if len(engines) < 2 or attempts.spent(reserve=min(seconds, SECONDS_EACH)):
            return own
        try:
            known = record_of(served_best(run, candidate, min(seconds, run.clock.left), engines))
        except (CandidateFailed, ModelError, MissingExtra) as error:
            run.notes.append(
                f"Other settings of the engine of {candidate.name} were not tried: {type(error).__name__}: {error}"
            )
            return own
        study.remember(f"settings for {candidate.key}", known)
    best = engine_from(known)
    if best != own:
        architecture, variant = attempts.made_from(candidate.key)
        attempts.attempt(architecture, replace(variant, engine=best), reserve=0.0)
    return best


def _try_quantizations(attempts: Attempts, candidate: Candidate, engine: Engine) -> None:
    """Measure the candidate's architecture quantized in other ways, in its engine; those that leave the most first."""
    architecture, own = attempts.made_from(candidate.key)
    kept = attempts.planning.proof_of([candidate])
    each = attempts.planning.variant(candidate.engine)
    for variant in smaller(attempts, own):
        if is_met(attempts) or attempts.spent(reserve=kept + each):
            return
        attempts.attempt(architecture, replace(variant, engine=engine), reserve=kept)


def smaller(attempts: Attempts, own: Variant) -> list[Variant]:
    """Other variants on the same engine: first those that leave less than ``own``, the least change first."""
    facts = attempts.run.facts

    def left(variant: Variant) -> float:
        share = 1.0
        for step in variant.steps:
            share *= step.share(facts)
        return share

    others = [
        d
        for d in attempts.variants.affordable()
        if type(d.engine) is type(own.engine) and d.steps != own.steps and d.steps
    ]
    less = sorted((d for d in others if left(d) < left(own)), key=left, reverse=True)
    return [*less, *(d for d in others if d not in less)]
