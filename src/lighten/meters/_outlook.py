"""What answers on ``select`` say of a floor that is to be proved on other rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook
from lighten.core.result import HIGHER, Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 1e-6
"""Deviation of a score that is the same in every row."""


def of_rows(
    worse: NDArray[Any], allowed: float, units: Sequence[str] | NDArray[Any] = (), least: float = LEAST, of: int = 0
) -> Outlook:
    """Of a mean over rows.

    Args:
        worse: [n] what each row adds to the loss. allowed: the largest mean of it.
        units: [n] the unit of each row; empty when every row is its own.
        least: deviation that is supposed where none was seen.
        of: rows of the whole part, when these are those of one group; 0 for all.
    """
    values = np.asarray(worse, dtype=np.float64)
    n, mean = values.size, float(values.mean())
    apart = values - mean
    if len(units):
        apart = np.asarray(np.bincount(np.unique(np.asarray(units), return_inverse=True)[1], apart), dtype=np.float64)
    deviation = sqrt(float((apart**2).sum()) / n)
    return Outlook(allowed - mean, max(deviation, least), n / of if of else 1.0)


def of_right(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    floor: Constraint,
    units: Sequence[str] | NDArray[Any] = (),
    of: int = 0,
) -> Outlook:
    """Of rows that are answered right or wrong, by original and candidate, [n] each."""
    worse = before.astype(np.float64) - after if floor.relative else 1.0 - after
    allowed = floor.bound if floor.relative else 1.0 - floor.bound
    return of_rows(worse, allowed, units, least=sqrt(1.0 / after.size), of=of)


def of_scores(
    before: NDArray[Any], after: NDArray[Any], floor: Constraint, quantity: Quantity, units: Sequence[str]
) -> Outlook:
    """Of a score in each row, by original and candidate, [n] each."""
    sign = -1.0 if quantity.direction == HIGHER else 1.0
    if not floor.relative:
        return of_rows(sign * after, sign * floor.bound, units)
    if floor.relative == "points":
        return of_rows(sign * (after - before), floor.bound, units)
    return of_rows(sign * after - (sign + floor.bound) * before, 0.0, units)


def of_classes(
    changed: NDArray[np.bool_], truth: NDArray[Any], loss: float, allowed: float, floor: Constraint
) -> Outlook:
    """Of a mean over classes, [n] rows each.

    Args:
        changed: whether the answer of a row is another than the original's, or wrong where a value is asked.
        loss: of the quantity, as measured. allowed: the largest loss.
    """
    classes = np.unique(truth)
    variance = 0.0
    for one in classes:
        own = changed[truth == one]
        rate = max(float(own.mean()), 1.0 / own.size)
        variance += (rate if floor.relative else rate * (1.0 - rate)) / own.size
    return Outlook(allowed - loss, max(sqrt(changed.size * variance) / classes.size, LEAST))
