"""Spread of repetitions, as every result states it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles


def half_iqr(values: Sequence[float]) -> float | None:
    """Half the interquartile range, in the values' unit; None for fewer than two values.

    Source:
        Hyndman and Fan (1996), definition 7: quartiles by linear interpolation, as numpy has them.
    """
    if len(values) < 2:
        return None
    low, _, high = quantiles(values, n=4, method="inclusive")
    return float(high - low) / 2
