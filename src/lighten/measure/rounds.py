"""Rounds: which of the turns that sessions took side by side were disturbed, and what is left of a ratio.

A disturbance only slows. So what a session costs at its best is what it costs undisturbed, and a round in which it
costs far more, beyond what slowed the session beside it too, says nothing about the two: it is set aside, however many
such rounds there are. What the kernel counts of other processes is believed where it can be seen; what it does not show
(a busy neighbour on the host, a lower frequency) is seen by the costs. Pure functions; no clock, no process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from lighten.core.result import HIGHER, Candidate
from lighten.core.spread import half_iqr

DISTURBED = 0.15
"""Share of the cores that other processes may take during a turn."""
APART = 1.5
"""How many times its best a session may cost in a round, beyond what slowed the session beside it as well."""
SLOW = 2.0
"""How many times their best both may cost; how fast is then no matter of the models alone."""
UNUSUAL = 1.5
"""How many times what it usually costs in this run the original may cost in the rounds that count."""
NOISY = 0.25
"""Half the interquartile range of a ratio over its median, above which it is not sure."""


def severities(
    own: Sequence[float | None],
    reference: Sequence[float | None],
    others: Sequence[float],
    usual: float | None = None,
) -> list[float]:
    """How disturbed each round was: above 1 it tells nothing about the two sessions.

    Args:
        own, reference: what a turn cost each of the two, round by round; None where it is unknown. The same sequence
            twice for a session that is looked at alone.
        others: share of the cores that other processes took meanwhile, round by round.
        usual: what a turn of the reference costs in other measurements; None when there were none.
    """
    alone = own is reference
    best, best_reference = _least(own), _least([*reference, usual])
    found = []
    for cost, beside, taken in zip(own, reference, others, strict=True):
        severity = taken / DISTURBED
        if cost is not None and beside is not None and best and best_reference:
            slower, slower_beside = cost / (best_reference if alone else best), beside / best_reference
            shared = min(slower, slower_beside)
            severity = max(severity, shared / SLOW)
            if shared > 0:
                severity = max(severity, max(slower, slower_beside) / shared / APART)
        found.append(severity)
    return found


def calm(severity: Sequence[float], least: int) -> list[int]:
    """Which rounds count: the undisturbed ones; when there is none, the ``least`` least disturbed."""
    kept = [number for number, one in enumerate(severity) if one <= 1.0]
    if kept or not severity:
        return kept
    return sorted(sorted(range(len(severity)), key=severity.__getitem__)[: max(least, 1)])


def ratios(own: Sequence[float | None], reference: Sequence[float | None], direction: str) -> list[float]:
    """One ratio a round, above 1 where ``own`` is better; rounds in which either is unknown have none."""
    found = []
    for new, old in zip(own, reference, strict=True):
        if new is not None and old is not None and new > 0 and old > 0:
            found.append(new / old if direction == HIGHER else old / new)
    return found


def noisy(ratios: Sequence[float]) -> bool:
    """Whether ratios differ so much from round to round that their median is not sure."""
    return len(ratios) > 1 and (half_iqr(ratios) or 0.0) > NOISY * median(ratios)


def unusual(cost: float | None, usual: float | None) -> bool:
    """Whether the original cost far more than it usually does, so that ratios against it say too much."""
    return cost is not None and usual is not None and cost > UNUSUAL * usual


def usual_of(candidates: Iterable[Candidate]) -> dict[str, float]:
    """What the original usually reads, by quantity: the median over all that was measured beside it in a run.

    What was measured surely counts; where nothing was, all of it.
    """
    sure: dict[str, list[float]] = {}
    every: dict[str, list[float]] = {}
    for candidate in candidates:
        for name, result in candidate.results.items():
            if result.reference is not None:
                every.setdefault(name, []).append(result.reference)
                if not result.unsure:
                    sure.setdefault(name, []).append(result.reference)
    return {name: median(sure.get(name, found)) for name, found in every.items()}


def doubtful(candidate: Candidate, name: str, usual: Mapping[str, float]) -> bool:
    """Whether a candidate's ratio of a quantity should be measured again before anything rests on it.

    It was not sure when it was measured, or what is known since (see :func:`usual_of`) says that the original was
    starved beside it. False where there is no ratio.
    """
    result = candidate.results.get(name)
    if result is None or result.ratio is None:
        return False
    read, known = result.reference, usual.get(name)
    if read and known and result.direction == HIGHER:
        read, known = 1.0 / read, 1.0 / known
    return result.unsure or unusual(read, known)


def _least(costs: Iterable[float | None]) -> float | None:
    return min((cost for cost in costs if cost is not None), default=None)
