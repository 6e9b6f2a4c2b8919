"""Bounds of a share that hold at every moment at once, however often and whenever somebody looks."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from lighten.proof.paired import normal_quantile

Floats = npt.NDArray[np.float64]

STEPS = 40
"""Bets of the mixture: the shares that they take off are 1, 0.71, 0.5, ... down to a millionth."""
PARTS, ROUNDS = 32, 8
"""Into how many parts the interval is cut in which a bound is looked for, and how often: to a part in 10^12."""


def share_bounds(total: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds of a share, for outcomes that are looked at after every one of them.

    With a chance of at least ``confidence`` the upper bound is at no moment below the share, the first outcome or the
    millionth; the same holds of the lower bound by itself. What is bounded is the average, up to that moment, of what
    each outcome was to be expected to be given all before it: shares may drift, and outcomes may depend on one another.

    Args:
        total: sum of the outcomes, each from 0 to 1 (yes or no, or a share of several). n: how many there are.
        confidence: of each bound on its own.

    Returns:
        Lower and upper bound; 0 and 1 while there is no outcome.

    Raises:
        ValueError: a total outside of 0 to n; a confidence outside (0.5, 1).

    Source:
        Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals
        of Statistics 49 (2021): the sub-Bernoulli supermartingale, mixed over discrete bets, and
        Ville's inequality. For each bet the logarithm of the expected factor is concave in the share (Hoeffding, 1963),
        so that the average of shares that drift stands for them.
    """
    normal_quantile(confidence)  # checks it
    if not 0.0 <= total <= n:
        raise ValueError(f"outcomes lie between 0 and 1 each: a total of {total} of {n}")
    return 1.0 - _upper(n - total, n, confidence), _upper(total, n, confidence)


def log_evidence(total: npt.ArrayLike, n: npt.ArrayLike, share: npt.ArrayLike) -> Floats:
    """Logarithm of the evidence that the share is below ``share``; it exceeds log(1/a) ever with a chance of at most a.

    Args:
        total, n, share: arrays of one shape, or numbers: sums of outcomes, how many, and the share, above 0, at most 1.
    """
    odds, weights = _bets()
    hits, count, most = (np.asarray(one, dtype=float)[..., None] for one in (total, n, share))
    with np.errstate(divide="ignore", invalid="ignore"):
        won = np.where(hits > 0, hits * np.log(odds), 0.0)
        paid = np.where(count > 0, count * np.log1p(-most * (1.0 - odds)), 0.0)
        logs = np.where(np.isneginf(won), -np.inf, won - paid) + np.log(weights)
    peak = logs.max(axis=-1, keepdims=True)
    safe = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(over="ignore"):
        found: Floats = np.log(np.exp(logs - safe).sum(axis=-1)) + safe[..., 0]
    return found


def _upper(total: float, n: int, confidence: float) -> float:
    """Least share against which the evidence is enough; 1 where it is enough against none."""
    enough, low, high = -np.log(1.0 - confidence), total / n if n else 1.0, 1.0
    if n == 0 or log_evidence(total, n, 1.0) < enough:
        return 1.0
    for _ in range(ROUNDS):
        shares = np.linspace(low, high, PARTS + 1)
        first = max(1, int(np.argmax(log_evidence(total, n, shares) >= enough)))
        low, high = float(shares[first - 1]), float(shares[first])
    return high


@cache
def _bets() -> tuple[Floats, Floats]:
    """What a unit of outcome leaves of the evidence, 0 to 1, of each bet; and their weights, which sum to 1."""
    places = np.arange(STEPS)
    weights = 1.0 / ((places + 1.0) * (places + 2.0))
    return 1.0 - 2.0 ** (-places / 2.0), weights / weights.sum()
