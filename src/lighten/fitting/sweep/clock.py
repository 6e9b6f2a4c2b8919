"""Clock: how the time of a sweep is shared between its trials and the last training, so that the whole keeps it."""

from __future__ import annotations

SHARE = 0.4
"""Time that a trial takes on average, as a share of one that is trained to its end: of three trials two are stopped
after a sixth of their training, of three others two after half of it, which makes a third; the rest is luck."""
SPARE = 0.95
"""Share of the time that is planned with."""
AGAIN = 1.1
"""Time of the last training, as a multiple of a trial with as many rows."""


def trial_seconds(total: float, trials: int, more: float) -> float:
    """Time of a trial that is trained to its end, the same for all, so that they can be compared.

    Args:
        total: seconds of the whole. trials: asked for. more: rows that the last training learns from, as a multiple of
            those of a trial.
    """
    return SPARE * max(total, 0.0) / (1.0 + (trials - 1) * SHARE + AGAIN * more)


def is_time(left: float, trial: float, more: float) -> bool:
    """Whether there is time for one more trial and the last training. left: seconds; trial, more: as above."""
    return left >= trial * (1.0 + AGAIN * more)
