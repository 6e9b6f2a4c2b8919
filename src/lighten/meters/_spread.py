"""Spread of repetitions, as every result states it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def half_iqr(values: Sequence[float]) -> float | None:
    """Half the interquartile range, in the values' unit; None for fewer than two values."""
    if len(values) < 2:
        return None
    low, high = np.percentile(values, (25, 75))
    return float(high - low) / 2
