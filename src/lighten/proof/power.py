"""What a number of items can prove, asked before anything is measured.

Items are what is independent and tested: rows, or the units that rows belong to, of the group or class that has fewest.
Two questions are answered. What can never hold, not even for a candidate that answers exactly as the original does?
And what can be expected to hold, with probability ``power``, for a candidate that is as good as the original but flips
items at a given rate of disagreement (b + c) / n?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, expm1, log, log1p, sqrt

import numpy as np
import numpy.typing as npt

from lighten.proof.paired import binomial_interval, normal_quantile, tango_score


def unseen_rate(n: float, confidence: float = 0.95) -> float:
    """The largest rate, a proportion, at which something could be that was seen in none of ``n`` items.

    Source:
        The exact binomial bound of no event; the "rule of three", about 3 / n.
    """
    return -expm1(log(1.0 - confidence) / n)


def items_to_rule_out(rate: float, confidence: float = 0.95) -> int:
    """Items without an event that rule out this rate (in (0, 1)): the inverse of ``unseen_rate``."""
    if not 0.0 < rate < 1.0:
        raise ValueError(f"rate must lie between 0 and 1: {rate}")
    wanted = ceil(log(1.0 - confidence) / log1p(-rate))
    return wanted if unseen_rate(wanted, confidence) < rate else wanted + 1


def effective_units(units: npt.ArrayLike | None, n: int) -> float:
    """How many units of equal size prove as much as these do: fewer than there are when some are large.

    Args:
        units: [n] the unit of each row; None when every row is its own. n: rows.

    Source:
        Kish, "Survey sampling" (1965): (sum of sizes)^2 / sum of squared sizes.
    """
    if units is None:
        return float(n)
    sizes = np.unique(np.asarray(units), return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def needed_items(margin: float, disagreement: float = 0.05, confidence: float = 0.95, power: float = 0.8) -> int:
    """Items needed to prove a margin when the candidate is truly as good as the original.

    Args:
        margin: largest loss to accept, a proportion above 0 and below 1 (0.01 is one point).
        disagreement: expected share of items that flip, (b + c) / n, in [0, 1].
        confidence: one-sided, of the lower bound.
        power: chance of the verdict *holds*.

    Returns:
        Items; never fewer than a candidate that flips none at all would need.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        The normal approximation (z_confidence + z_power)^2 * disagreement / margin^2, to the nearest item (Lu and
        Bean, Statistics in Medicine 14 (1995)), but at least where the exact bound of b = c = 0 clears the margin.
    """
    _check(margin, disagreement)
    flipping = (normal_quantile(confidence) + normal_quantile(power)) ** 2 * disagreement / margin**2
    return max(round(flipping), items_to_rule_out(margin, confidence))


def provable_margin(n: float, disagreement: float = 0.05, confidence: float = 0.95, power: float = 0.8) -> float:
    """Smallest margin that n items can be expected to prove: the inverse of ``needed_items``.

    Args:
        n: items, at least 1.
        disagreement: expected share of items that flip, (b + c) / n, in [0, 1].
        confidence: one-sided, of the lower bound.
        power: chance of the verdict *holds* when the candidate is truly as good as the original.

    Returns:
        Margin as a proportion; 1 when n items can prove nothing.

    Raises:
        ValueError: an argument is out of its range.
    """
    if n < 1:
        raise ValueError(f"there must be at least one item: n={n}")
    _check(0.5, disagreement)
    flipping = (normal_quantile(confidence) + normal_quantile(power)) * sqrt(disagreement / n)
    return min(1.0, max(flipping, unseen_rate(n, confidence)))


def value_to_show(n: float, floor: float, confidence: float = 0.95) -> float:
    """Smallest share of ``n`` items (as a proportion) whose exact lower bound is above ``floor``; above 1 when none is.

    For a ceiling (at most 2 % may change), ask for the share of items that may not count: ``1 - value_to_show(n, 1 -
    ceiling)``.
    """
    least, most = ceil(floor * n), int(n) + 1
    while least < most:
        middle = (least + most) // 2
        if middle <= n and binomial_interval(middle, n, confidence)[0] <= floor:
            least = middle + 1
        else:
            most = middle
    return least / n


def items_to_settle(
    b: float, c: float, n: int, margin: float, confidence: float = 0.95, power: float = 0.8
) -> int | None:
    """Items that would settle an undecided verdict if flips kept coming at the observed rates b / n and c / n.

    The verdict may settle either way: as *holds* against the margin, or as *worse* against zero (McNemar).

    Returns:
        Total items, more than ``n``, chosen to settle with chance ``power``; None when no number would (the observed
        difference lies on the margin and is no loss).
    """
    z = normal_quantile(confidence)
    difference, disagreement = (c - b) / n, (b + c) / n
    effect = max(abs(difference + margin), -difference)

    def settles(wanted: int) -> bool:
        broke, fixed = b / n * wanted, c / n * wanted
        exact = c > 0 or binomial_interval(broke, wanted, confidence)[1] < margin
        return (tango_score(broke, fixed, wanted, -margin) > z and exact) or tango_score(broke, fixed, wanted, 0.0) < -z

    return _grown(n, effect, max(disagreement - difference**2, 0.0), z + normal_quantile(power), settles)


def items_to_clear(hits: float, n: float, floor: float, confidence: float = 0.95, power: float = 0.8) -> int | None:
    """Items that would settle whether a share is above or below ``floor``, if ``hits / n`` stayed as observed.

    Returns:
        Total items, more than ``n``; None when no number would: the share lies on the floor.
    """
    rate = hits / n

    def settles(wanted: int) -> bool:
        lower, upper = binomial_interval(rate * wanted, wanted, confidence)
        return lower > floor or upper < floor

    z = normal_quantile(confidence) + normal_quantile(power)
    return _grown(n, abs(rate - floor), rate * (1.0 - rate), z, settles)


def _grown(n: float, effect: float, variance: float, z: float, settles: Callable[[int], bool]) -> int | None:
    """More than ``n`` items: as the normal approximation says, and more where that does not settle it."""
    if effect <= 1e-9:
        return None
    wanted = max(int(n) + 1, round(z**2 * variance / effect**2))
    while not settles(wanted):
        wanted = ceil(1.02 * wanted)
    return wanted


def unseen_loss(sizes: Sequence[float], confidence: float = 0.95) -> float:
    """Loss of a mean over classes that could be there although nothing changed in any of them.

    Args:
        sizes: items of each class.

    Source:
        What went unseen in each class (``unseen_rate``), independent of each other, as roots of squares add up.
    """
    return sqrt(sum(unseen_rate(size, confidence) ** 2 for size in sizes)) / len(sizes)


def _check(margin: float, disagreement: float) -> None:
    if not 0.0 < margin < 1.0:
        raise ValueError(f"margin must lie between 0 and 1 (0.01 is one point): {margin}")
    if not 0.0 <= disagreement <= 1.0:
        raise ValueError(f"disagreement must lie in [0, 1]: {disagreement}")
