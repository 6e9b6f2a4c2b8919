"""Power: what the proof part can prove, said before anything is written; what can never hold is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from lighten.core.budget import Budget, Constraint
from lighten.core.errors import DataError
from lighten.core.meter import QualityMeter
from lighten.core.power import Power
from lighten.core.rows import PART_NAMES, Parts
from lighten.core.task import Task
from lighten.measure.quality import meter_of
from lighten.proof.bootstrap import LEAST_UNITS

DEFAULT_MARGIN = 0.01
"""The loss that is allowed where the user says nothing: a point of a share of rows, else a per cent."""

COUNTED: Mapping[str, str] = {
    "rows": "proof rows",
    "units": "independent units in the proof part ({column})",
    "documents": "proof documents",
    "group": "proof rows of the smallest group ({which})",
    "group_units": "independent units ({column}) of the smallest group ({which}) in the proof part",
    "class": "proof rows of the rarest class ({which})",
    "class_units": "independent units ({column}) of the rarest class ({which}) in the proof part",
}
"""What a power counts (``POWER_OF``), as it is said."""


def default_floor(task: Task, quality: Mapping[str, QualityMeter], parts: Parts) -> Constraint:
    """The task's first metric: 1 point or the smallest loss that its rows can prove, where that is known; else 1 %."""
    metric = task.metrics[0]
    meter, _ = meter_of(quality, metric)
    floor = Constraint(metric, DEFAULT_MARGIN, "points", f"{metric}>=-1pt")
    known = meter.power(parts.proof, floor, parts.labels)
    if known is None or known.provable is None:
        return Constraint(metric, DEFAULT_MARGIN, "ratio", f"{metric}<=+1%")
    points = max(DEFAULT_MARGIN * 100, round(known.provable * 100 + 0.05, 1))
    return replace(floor, bound=points / 100, text=f"{metric}>=-{points:g}pt")


def check_power(
    budget: Budget, quality: Mapping[str, QualityMeter], parts: Parts, columns: Mapping[str, str]
) -> tuple[tuple[Power, ...], tuple[str, ...]]:
    """What the proof part can prove of every floor for which that can be said beforehand, and a sentence about each.

    Args:
        columns: the data's columns by role.

    Raises:
        DataError: a floor that could never hold, not even if nothing changed; or that the data has no groups for.
    """
    found, notes = [], []
    for floor in budget.keep:
        meter, _ = meter_of(quality, floor.metric)
        try:
            one = meter.power(parts.proof, floor, parts.labels)
        except ValueError as error:
            raise DataError(
                f"--keep {floor.metric} cannot be proved: {error}.", fix="name one with --group COLUMN"
            ) from error
        if one is None:
            continue
        if one.enough is None or one.n < one.enough:
            raise _too_few(floor, one, parts, columns)
        if one.provable is not None:
            found.append(one)
            notes.append(power_note(floor, one, columns))
    return tuple(found), tuple(notes)


def power_note(floor: Constraint, one: Power, columns: Mapping[str, str]) -> str:
    """What the rows can prove about a floor, in a sentence."""
    counted = f"Your {one.n:,} {_counted(one, columns)}"
    shown = one.least if one.provable is None else one.provable
    if one.kind == "absolute":
        return f"{counted} can prove {floor.text} of a candidate that shows {shown:.2%} on them."
    return (
        f"{counted} can prove a loss of at most {shown * 100:.1f} points at 5% disagreement; you allow "
        f"{one.margin * 100:.1f}."
    )


def _counted(one: Power, columns: Mapping[str, str]) -> str:
    """What is counted, with the column of units where it is known."""
    column = f"column {columns.get('unit', '')!r}"
    return COUNTED[one.of].format(which=repr(one.which), column=column)


def _too_few(floor: Constraint, one: Power, parts: Parts, columns: Mapping[str, str]) -> DataError:
    """The error about a floor that can never hold: what there is, what would do, what else can be done."""
    seen = f"{one.n:,} {_counted(one, columns)}"
    if one.enough is None:
        return DataError(
            f"No number of rows can prove {floor.text}: a share that was not seen to change may still change.",
            allowed="a floor that leaves some room, however little",
            fix=f"ask for a little less than {floor.text}",
        )
    in_all = ceil(one.enough * sum(len(parts[name]) for name in PART_NAMES) / max(len(parts.proof), 1))
    if one.enough == LEAST_UNITS and one.of != "rows":
        why = f"on fewer than {LEAST_UNITS} no verdict is given, whatever they show"
    elif one.kind == "absolute":
        why = "even if nothing were wrong or changed in them, it would not be proved"
    else:
        why = f"even without one changed answer the bound would be {_loss(one)}"
    what = "documents" if one.of == "documents" else "units" if one.of.endswith("units") else "rows"
    of = f" of this {one.of.split('_')[0]}" if one.which else ""
    return DataError(
        f"{seen} can never prove {floor.text}: {why}.",
        allowed=f"{one.enough:,} {what}{of} in the proof part, about {in_all:,} in all",
        fix="; or ".join(_ways_out(floor, one, what)),
    )


def _ways_out(floor: Constraint, one: Power, what: str) -> list[str]:
    found = [f"give more {what}"]
    judged = one.n >= LEAST_UNITS or not one.of.endswith("units")
    if one.kind == "difference" and one.provable is not None and one.least < 0.5 and judged:
        found.append(f"allow more, such as {floor.metric}>=-{ceil(one.least * 1000 + 1) / 10:g}pt")
    if one.of.startswith("group"):
        found.append("join small groups, or keep accuracy of all rows together")
    if one.of.startswith("class"):
        found.append("keep accuracy, which no rare class decides")
    if one.of.endswith("units"):
        found.append("name another column with --unit, or --unit none when the rows are independent of each other")
    return found


def _loss(one: Power) -> str:
    return f"{one.least * 100:.1f} points" if one.provable is not None else f"{one.least:.3g}"
