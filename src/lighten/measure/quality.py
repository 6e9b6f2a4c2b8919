"""Quality: what the catalog's quality meters say of a candidate's answers, and whether a floor is proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.errors import UnknownName
from lighten.core.item import brief
from lighten.core.meter import QualityMeter
from lighten.core.readers import preview
from lighten.core.result import Quantity
from lighten.core.rows import Rows
from lighten.core.summary import Flip, Group
from lighten.measure.interleave import Reading, Readings
from lighten.proof.flips import find_flips
from lighten.proof.verdict import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREVIEWS = 60
"""Changed answers of each kind whose inputs are shown as pictures: each takes some kilobytes of the page."""


def judge_all(
    meters: Mapping[str, QualityMeter], answers: NDArray[Any], rows: Rows, original: NDArray[Any] | None
) -> Readings:
    """Every quality quantity of a candidate. answers, original: [n, classes] logits of the same rows."""
    found = {}
    for meter in meters.values():
        measured = meter.measure(answers, rows, original)
        for quantity in meter.quantities:
            found[quantity.name] = Reading(quantity, measured[quantity.name])
    return found


def meter_of(meters: Mapping[str, QualityMeter], name: str) -> tuple[QualityMeter, Quantity]:
    """The meter of a quantity, and the quantity.

    Raises:
        UnknownName: no quality meter measures it.
    """
    by_name = {quantity.name: (meter, quantity) for meter in meters.values() for quantity in meter.quantities}
    if name not in by_name:
        raise UnknownName("quantity of quality", name, by_name)
    return by_name[name]


def verdict(
    meters: Mapping[str, QualityMeter],
    constraint: Constraint,
    original: NDArray[Any],
    answers: NDArray[Any],
    rows: Rows,
    seed: int,
) -> Verdict:
    """Judge one floor on the rows of the proof. original, answers: [n, classes] logits.

    Raises:
        UnknownName: no quality meter measures the quantity.
        ValueError: the rows do not allow it (no groups, say), or the quantity is never proved.
    """
    meter, quantity = meter_of(meters, constraint.metric)
    value = meter.measure(original, rows, original)[quantity.name]
    if value.value is None:
        raise ValueError(f"{quantity.name} is unknown on these rows: {value.note}")
    return meter.judge(original, answers, rows, constraint, seed)


def flips_of(
    original: NDArray[Any], candidate: NDArray[Any], rows: Rows, names: Sequence[Sequence[str]]
) -> tuple[Flip, ...]:
    """Rows that the candidate answers differently: those it broke first, then fixed, then moved.

    The first ``PREVIEWS`` of each kind are shown as what they are, where their reader can.

    original, candidate: [n, columns] judged answers. names: what each is called, by row and column (``Task.named``).
    """
    before, after = original.argmax(axis=1), candidate.argmax(axis=1)
    found = find_flips(rows.targets, before, after)
    return tuple(
        Flip(
            text=brief(rows.inputs[i]),
            label=names[i][rows.targets[i]],
            original=names[i][before[i]],
            winner=names[i][after[i]],
            group=rows.groups[i] if rows.groups else "",
            kind=kind,
            preview=preview(rows.inputs[i]) if number < PREVIEWS else "",
        )
        for kind, numbers in (("broke", found.broke), ("fixed", found.fixed), ("moved", found.moved))
        for number, i in enumerate(numbers.tolist())
    )


def groups_of(original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> tuple[Group, ...]:
    """Accuracy of both models in each group, by name; empty when the data has no group column.

    original, candidate: [n, classes] logits.
    """
    if not rows.groups:
        return ()
    targets, groups = np.asarray(rows.targets), np.asarray(rows.groups)
    before, after = (outputs.argmax(axis=1) == targets for outputs in (original, candidate))
    return tuple(
        Group(str(name), int(own.sum()), float(before[own].mean()), float(after[own].mean()))
        for name in np.unique(groups)
        for own in [groups == name]
    )
