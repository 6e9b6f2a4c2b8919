"""Pacing: how much is learned in the time that there is."""

from __future__ import annotations

from collections.abc import Sequence

SPARE = 0.95
"""Share of the time left that training plans to use."""
TRIED, TRYING, LEAST_TRIED = 16, 0.04, 3
"""Updates that are timed to plan by time, share of the time that this may take, and updates at the least."""
LATE, LEAST_LATE = 1.5, 30.0
"""After how many times its time, and how many seconds more at the least, a training that was planned once is ended: the
plan stays, so that it ends with the same weights whenever it is taken up, and a machine may become slower."""
CURVE = 6
"""Evaluations of a training that is planned by time, at the least."""


def end_in_time(
    times: Sequence[tuple[int, float]], left: float, judge_seconds: float, interval: float, planned: int
) -> int:
    """After how much a training ends that is planned once, in rows, or what else ``planned`` counts.

    Args:
        times: sizes of some updates, and seconds that they took. left: seconds for learning and evaluations.
        judge_seconds: of an evaluation. interval: between two, at the most.
    """
    counted = times[1:] or times  # the first update also fills caches
    each = sum(took for _, took in counted) / max(sum(size for size, _ in counted), 1)
    least = counted[0][0] if counted else 1
    if not each:
        return max(planned, least)
    left = left * SPARE - judge_seconds
    judged = min(interval, max(left / each, 1.0) / CURVE)
    return max(int(min(left / (each + judge_seconds / judged), planned)), least)


def is_late(spent: float, seconds: float) -> bool:
    """Whether a training that was planned once has taken far longer than it was to take."""
    return spent > max(LATE * seconds, seconds + LEAST_LATE)


def end_by_clock(rows: int, left: float, each: float, judge_seconds: float, interval: float, planned: int) -> int:
    """After how much a training ends that moves its plan with the clock; ``rows`` are behind it.

    Args:
        left: seconds. each: seconds of a row. judge_seconds: of an evaluation; 0 where there is none.
    """
    cost = each + judge_seconds / interval
    affordable = int((left * SPARE - judge_seconds) / cost) if cost else planned
    return min(planned, rows + max(affordable, 0))
