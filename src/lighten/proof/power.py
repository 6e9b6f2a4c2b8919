"""What a number of items can prove, asked before anything is measured.

All three functions suppose a candidate that flips items at a given rate of disagreement (b + c) / n, and ask for the
verdict *holds* with probability ``power``.
"""

from __future__ import annotations

from math import ceil, sqrt

from lighten.proof.paired import normal_quantile, tango_score


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
        Bean, Statistics in Medicine 14 (1995)), but at least where the Tango bound of b = c = 0 clears the margin.
    """
    _check(margin, disagreement)
    z = normal_quantile(confidence)
    flipping = (z + normal_quantile(power)) ** 2 * disagreement / margin**2
    flipless = z * z * (1.0 - margin) / margin
    return max(round(flipping), ceil(flipless))


def provable_margin(n: int, disagreement: float = 0.05, confidence: float = 0.95, power: float = 0.8) -> float:
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
    z = normal_quantile(confidence)
    flipping = (z + normal_quantile(power)) * sqrt(disagreement / n)
    flipless = z * z / (n + z * z)
    return min(1.0, max(flipping, flipless))


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
    if effect <= 1e-9:
        return None
    variance = max(disagreement - difference**2, 0.0)
    wanted = max(n + 1, round((z + normal_quantile(power)) ** 2 * variance / effect**2))
    while not _settled(b / n, c / n, wanted, margin, z):  # where the normal approximation asks for too few
        wanted = ceil(1.02 * wanted)
    return wanted


def _settled(b_rate: float, c_rate: float, n: int, margin: float, z: float) -> bool:
    b, c = b_rate * n, c_rate * n
    return tango_score(b, c, n, -margin) > z or tango_score(b, c, n, 0.0) < -z


def _check(margin: float, disagreement: float) -> None:
    if not 0.0 < margin < 1.0:
        raise ValueError(f"margin must lie between 0 and 1 (0.01 is one point): {margin}")
    if not 0.0 <= disagreement <= 1.0:
        raise ValueError(f"disagreement must lie in [0, 1]: {disagreement}")
