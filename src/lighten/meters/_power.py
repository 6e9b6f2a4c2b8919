"""What rows can prove, before anything is measured: by what is independent, of what has fewest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from lighten.core.budget import Constraint
from lighten.core.power import Power
from lighten.core.result import HIGHER, Quantity
from lighten.core.rows import Rows
from lighten.proof.bootstrap import LEAST_UNITS
from lighten.proof.paired import normal_quantile
from lighten.proof.power import (
    effective_units,
    items_to_rule_out,
    provable_margin,
    unseen_loss,
    unseen_rate,
    value_to_show,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

DISAGREEMENT = 0.05
"""Share of rows on which original and candidate are expected to disagree."""
CONFIDENCE, POWER = 0.95, 0.8


def shares(quantity: Quantity, floor: Constraint, n: int, units: Sequence[str] | NDArray[Any] = ()) -> Power:
    """Of a share of rows: answered right, or answered differently.

    Args:
        n: rows. units: [n] the unit of each; empty when every row is its own.
    """
    items = effective_units(units if len(units) else None, n)
    absolute = not floor.relative or quantity.direction != HIGHER
    # what may go wrong at most: the loss allowed, what is short of all right, or the changes allowed
    allowed = floor.bound if quantity.direction != HIGHER or floor.relative else 1.0 - floor.bound
    if not absolute:
        provable = provable_margin(max(items, 1.0), DISAGREEMENT, CONFIDENCE, POWER)
    elif quantity.direction == HIGHER:
        provable = value_to_show(max(int(items), 1), floor.bound, CONFIDENCE)
    else:
        provable = 1.0 - value_to_show(max(int(items), 1), 1.0 - floor.bound, CONFIDENCE)
    return Power(
        floor.metric,
        int(items),
        floor.bound,
        provable,
        kind="absolute" if absolute else "difference",
        of="units" if len(units) else "rows",
        least=unseen_rate(items, CONFIDENCE),
        enough=_enough(allowed, of_units=len(units) > 0),
    )


def scores(
    floor: Constraint, rows: Rows, *, reach: float | None = None, of: str = "rows", least: int = LEAST_UNITS
) -> Power:
    """Of a score that is better or worse row by row: its spread is not known before it is measured.

    Args:
        reach: what a row gone wrong costs at the least, in the metric's unit; None when it is not known beforehand.
        of: what a row is.
    """
    items = effective_units(rows.units or None, len(rows))
    known = reach is not None and floor.relative != "ratio"
    enough = _enough(floor.bound / reach, of_units=True) if known and reach else least
    return Power(
        floor.metric,
        int(items),
        floor.bound,
        None,
        kind="difference" if floor.relative else "absolute",
        of="units" if rows.units else of,
        least=(reach or 0.0) * unseen_rate(items, CONFIDENCE),
        enough=enough if enough is None else max(enough, least),
    )


def class_means(floor: Constraint, sizes: Mapping[str, float], *, of_units: bool) -> Power:
    """Of a mean over classes, such as macro-F1: the rarest class decides.

    Args:
        sizes: rows, or units worth, of each class.
    """
    rarest = min(sizes, key=lambda name: sizes[name])
    absolute = not floor.relative
    allowed = 1.0 - floor.bound if absolute else floor.bound
    rate = floor.bound * (1.0 - floor.bound) if absolute else DISAGREEMENT
    spread = sqrt(rate * sum(1.0 / size for size in sizes.values())) / len(sizes)
    z = normal_quantile(CONFIDENCE) + (0.0 if absolute else normal_quantile(POWER))
    least = unseen_loss(list(sizes.values()), CONFIDENCE)
    return Power(
        floor.metric,
        int(sizes[rarest]),
        floor.bound,
        floor.bound + z * spread if absolute else max(least, z * spread),
        kind="absolute" if absolute else "difference",
        of="class_units" if of_units else "class",
        which=rarest,
        least=least,
        enough=_enough_of_each(list(sizes.values()), allowed),
    )


def _enough(allowed: float, *, of_units: bool) -> int | None:
    """Items that could rule out this rate of harm if none were seen; units are never fewer than a verdict needs."""
    if allowed <= 0.0:
        return None
    items = items_to_rule_out(allowed, CONFIDENCE) if allowed < 1.0 else 1
    return max(items, LEAST_UNITS) if of_units else items


def _enough_of_each(sizes: Sequence[float], allowed: float) -> int | None:
    """Items of the rarest class that could do, classes with fewer than that growing to as many."""
    if allowed <= 0.0:
        return None
    least = 1
    while unseen_loss([max(size, least) for size in sizes], CONFIDENCE) >= allowed:
        least = ceil(1.05 * least) + 1
    return least
