"""Right/wrong outcomes: the Tango score interval, the exact McNemar test, the exact binomial interval.

Of n items that both models answered, b is the number that the original had right and the candidate wrong, and c the
reverse. Only these two counts carry information about the difference (c - b) / n.
"""

from __future__ import annotations

from functools import cache
from math import copysign, inf, sqrt
from statistics import NormalDist

from scipy.special import betainc, betaincinv


def tango_score(b: float, c: float, n: float, delta: float) -> float:
    """Score statistic of the hypothesis that the true difference is ``delta``.

    About standard normal under the hypothesis; positive when the data lie above ``delta``. Never rises in ``delta``.

    Args:
        b: items that only the original had right; need not be whole.
        c: items that only the candidate had right; need not be whole.
        n: items.
        delta: hypothesised difference (candidate - original), a proportion in [-1, 1].

    Returns:
        The statistic, unitless; infinite where ``delta`` is impossible given the counts.

    Source:
        Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
        design", Statistics in Medicine 17 (1998), equations 8 to 12.
    """
    if delta < 0.0:  # by symmetry; for delta >= 0 the root below subtracts nothing of like size
        return -tango_score(c, b, n, -delta)
    gap = c - b - n * delta
    # restricted maximum-likelihood estimate of P(only the original right): larger root of 2n q^2 + linear q + constant
    linear = (2.0 * n - c + b) * delta - b - c
    constant = -b * delta * (1.0 - delta)
    root = sqrt(max(linear * linear - 8.0 * n * constant, 0.0))
    if linear > 0.0:
        q = -2.0 * constant / (linear + root)
    else:
        q = (root - linear) / (4.0 * n)
    variance = n * (2.0 * q + delta * (1.0 - delta))
    if variance <= 0.0:
        return 0.0 if gap == 0.0 else copysign(inf, gap)
    return gap / sqrt(variance)


def tango_interval(b: int, c: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of the difference of paired proportions (c - b) / n.

    Args:
        b: items that only the original had right.
        c: items that only the candidate had right.
        n: items, at least 1.
        confidence: of each bound on its own; two bounds of 0.95 make a two-sided interval of 0.90.

    Returns:
        One-sided lower and upper bound, proportions in [-1, 1].

    Raises:
        ValueError: a count is negative, b + c exceeds n, or n is zero; a confidence outside (0.5, 1).

    Source:
        Tango (1998), see ``tango_score``; a bound is where the score statistic equals the normal quantile.
    """
    check_counts(b, c, n)
    quantile = normal_quantile(confidence)
    return -_upper(c, b, n, quantile), _upper(b, c, n, quantile)


def paired_interval(b: int, c: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Tango's interval, but exact where items flipped one way only: a score interval is too narrow there.

    With breaks alone the loss is one proportion, and its exact upper bound is that of ``binomial_interval``. Without
    it, a candidate that only ever breaks items passes in up to 6.7 % of cases instead of 5 %.

    Args, returns, raises: as ``tango_interval``.
    """
    lower, upper = tango_interval(b, c, n, confidence)
    if c == 0:
        lower = min(lower, -binomial_interval(b, n, confidence)[1])
    if b == 0:
        upper = max(upper, binomial_interval(c, n, confidence)[1])
    return lower, upper


def binomial_interval(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact one-sided bounds of the share behind ``hits`` of ``n`` independent items.

    Args:
        hits: items that count, from 0 to n; need not be whole. n: items, above 0. confidence: of each bound on its own.

    Returns:
        Lower and upper bound, proportions.

    Raises:
        ValueError: more hits than items, or a negative number of them; a confidence outside (0.5, 1).

    Source:
        Clopper and Pearson, Biometrika 26 (1934).
    """
    normal_quantile(confidence)  # checks it
    if not 0.0 <= hits <= n or not n > 0.0:
        raise ValueError(f"hits must lie between 0 and the number of items: {hits} of {n}")
    lower = float(betaincinv(hits, n - hits + 1.0, 1.0 - confidence)) if hits > 0.0 else 0.0
    upper = float(betaincinv(hits + 1.0, n - hits, confidence)) if hits < n else 1.0
    return lower, upper


def _upper(b: int, c: int, n: int, quantile: float) -> float:
    """Largest difference whose score is not below ``-quantile``: bisection, since the score never rises."""
    low, high = (c - b) / n, 1.0
    if tango_score(b, c, n, high) >= -quantile:
        return high
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high or high - low < 1e-14:
            return high
        if tango_score(b, c, n, middle) >= -quantile:
            low = middle
        else:
            high = middle


def mcnemar_exact(b: int, c: int) -> float:
    """One-sided exact McNemar test that the candidate is worse than the original.

    Args:
        b: items that only the original had right.
        c: items that only the candidate had right.

    Returns:
        P(at least b of b + c fall to the original) when both are equally likely; 1 when b is 0.

    Raises:
        ValueError: a count is negative.

    Source:
        McNemar, Psychometrika 12 (1947), in its exact binomial form.
    """
    if b < 0 or c < 0:
        raise ValueError(f"counts must not be negative: b={b}, c={c}")
    return 1.0 if b == 0 else float(betainc(b, c + 1, 0.5))


def check_counts(b: int, c: int, n: int) -> None:
    """Raise ValueError unless ``b`` and ``c`` can be the two kinds of disagreement among ``n`` items."""
    if b != int(b) or c != int(c) or n != int(n):
        raise ValueError(f"counts must be whole numbers: b={b}, c={c}, n={n}")
    if n < 1:
        raise ValueError(f"there must be at least one item: n={n}")
    if b < 0 or c < 0:
        raise ValueError(f"counts must not be negative: b={b}, c={c}")
    if b + c > n:
        raise ValueError(f"more disagreements than items: b + c = {b + c} exceeds n = {n}")


@cache
def normal_quantile(confidence: float) -> float:
    """Normal quantile of a one-sided confidence in (0.5, 1), such as 1.6449 for 0.95; ValueError outside."""
    if not 0.5 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0.5 and 1: {confidence}")
    return NormalDist().inv_cdf(confidence)
