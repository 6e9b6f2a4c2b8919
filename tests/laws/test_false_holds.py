"""Whatever --keep accepts is simulated at its floor: benchmarks/false_holds.py has a cell for each of its kinds."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.budget import Budget
from lighten.core.errors import LightenError
from lighten.core.meter import QualityMeter, SpeedMeter
from lighten.core.result import Quantity
from lighten.measure.quality import verdict

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LEVEL = 0.05


sys.path.insert(0, str(BENCHMARKS))
DESIGNS = importlib.import_module("designs").designs()
sys.path.remove(str(BENCHMARKS))
METERS = {name: catalog.load("meters", name)() for name in catalog.names("meters")}
QUALITY = {name: meter for name, meter in METERS.items() if isinstance(meter, QualityMeter)}
SPEED = [quantity for meter in METERS.values() if isinstance(meter, SpeedMeter) for quantity in meter.quantities]
PROVED = [quantity for meter in QUALITY.values() for quantity in meter.quantities if not quantity.unproved]


Way = tuple[str, bool, bool]
"""A way to ask for a floor: its kind, whether rows belong together, whether it lies above what the original reaches."""


def ways_of(quantity: Quantity) -> set[Way]:
    """Every way in which ``--keep`` takes a floor of a quantity.

    Shares of the original's are taken only of what is no share itself. A gain is taken only as a value by itself; and
    an original differs from itself nowhere, so that no candidate gains on it by what counts changed answers. Groups are
    no way of asking: they are what ``worst_group`` is of, and nothing else looks at them.
    """
    kinds = {"difference", "absolute"} | (set() if quantity.unit == "fraction" else {"share"})
    found = {(kind, units, False) for kind in kinds for units in (False, True)}
    return found | ({("absolute", units, True) for units in (False, True)} if can_gain(quantity) else set())


def can_gain(quantity: Quantity) -> bool:
    """Whether a candidate can be better than the original: whether the original is short of the best there is."""
    meter = next(meter for meter in QUALITY.values() if quantity in meter.quantities)
    rng = np.random.default_rng(0)
    case = next(design for design in DESIGNS if design.floor.metric == quantity.name and not design.in_units).draw(rng)
    value = meter.measure(case.original, case.rows, case.original)[quantity.name].value
    return not (value == 0.0 and quantity.direction == "lower")


@pytest.mark.parametrize("relative", ["+2%", "+0.02", "+2pt", "-2%", "-0.02", "-2pt"])
@pytest.mark.parametrize("quantity", PROVED, ids=lambda quantity: quantity.name)
def test_what_keep_takes_is_among_the_ways(quantity: Quantity, relative: str) -> None:
    """Of floors beside the original, as the budget reads them, so that no new way is forgotten here."""
    sign = ">=" if quantity.direction == "higher" else "<="
    try:
        (floor,) = Budget.parse([f"{quantity.name}{sign}{relative}"], [], "cpu", quality=PROVED, speed=SPEED).keep
    except LightenError:
        return
    kind = {"points": "difference", "ratio": "share", "": "absolute"}[floor.relative]
    assert floor.bound > 0 and (kind, False, False) in ways_of(quantity)


@pytest.mark.parametrize("quantity", PROVED, ids=lambda quantity: quantity.name)
def test_every_quantity_that_is_proved_is_simulated_in_every_way_it_can_be_asked(quantity: Quantity) -> None:
    mine = [design for design in DESIGNS if design.floor.metric == quantity.name]
    simulated = {(design.kind, design.in_units, design.gains) for design in mine}
    lacking = ways_of(quantity) - simulated
    assert not lacking, f"benchmarks/designs.py has none of (kind, in units, a gain): {sorted(lacking)}"
    assert simulated <= ways_of(quantity), "nobody can ask so"


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: f"{d.floor.metric} {d.kind} {d.setting}")
def test_a_design_is_what_it_says(design: Any) -> None:
    """Rows in units where it says so; an original short of the floor where it says a gain, and nowhere else."""
    rng = np.random.default_rng(1)
    assert bool(design.draw(rng).rows.units) == design.in_units
    if not design.gains:
        return
    meter, quantity = next((m, q) for m in QUALITY.values() for q in m.quantities if q.name == design.floor.metric)
    cases = [design.draw(rng) for _ in range(30)]
    values = [meter.measure(case.original, case.rows, case.original)[quantity.name].value for case in cases]
    short = design.floor.bound - np.mean([value for value in values if value is not None])
    assert (short if quantity.direction == "higher" else -short) > 0


def test_what_is_simulated_exists_and_what_is_never_proved_is_not_simulated() -> None:
    assert {design.floor.metric for design in DESIGNS} == {quantity.name for quantity in PROVED}
    assert [q.name for m in QUALITY.values() for q in m.quantities if q.unproved] == ["calibration_error"]


def test_exact_rates_are_at_most_five_per_cent() -> None:
    """Where every sample can be summed, no chance is left; cells in which one answer changes more are the coarsest."""
    known: dict[object, bool] = {}
    exact = [design for design in DESIGNS if design.exact is not None and "n=3000" not in design.setting]
    assert len(exact) > 20
    for design in exact:

        def holds(case: object, floor: object = design.floor) -> bool:
            key = (floor, case.key)  # type: ignore[attr-defined]
            if key not in known:
                known[key] = verdict(QUALITY, floor, case.original, case.candidate, case.rows, 0).holds  # type: ignore[arg-type, attr-defined]
            return known[key]

        assert design.exact(holds) < LEVEL + 0.003, f"{design.floor.metric} {design.setting}"


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: f"{d.floor.metric} {d.kind} {d.setting}")
def test_a_candidate_of_every_design_can_be_judged(design: object) -> None:
    case = design.draw(np.random.default_rng(0))  # type: ignore[attr-defined]
    floor = design.floor  # type: ignore[attr-defined]
    judged = verdict(QUALITY, floor, case.original, case.candidate, case.rows, 0)
    assert (judged.metric, judged.n > 0) == (floor.metric, True)
