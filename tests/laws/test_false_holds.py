"""Whatever --keep accepts is simulated at its floor: benchmarks/false_holds.py has a cell for each of its kinds."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.meter import QualityMeter
from lighten.core.result import Quantity
from lighten.measure.quality import verdict

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LEVEL = 0.05


sys.path.insert(0, str(BENCHMARKS))
DESIGNS = importlib.import_module("designs").designs()
sys.path.remove(str(BENCHMARKS))
METERS = {name: catalog.load("meters", name)() for name in catalog.names("meters")}
QUALITY = {name: meter for name, meter in METERS.items() if isinstance(meter, QualityMeter)}
PROVED = [quantity for meter in QUALITY.values() for quantity in meter.quantities if not quantity.unproved]


def kinds_of(quantity: Quantity) -> set[str]:
    """What can be asked of a quantity: shares of the original's only of what is no share itself."""
    return {"difference", "absolute"} | (set() if quantity.unit == "fraction" else {"share"})


@pytest.mark.parametrize("quantity", PROVED, ids=lambda quantity: quantity.name)
def test_every_quantity_that_is_proved_is_simulated_in_every_way_it_can_be_asked(quantity: Quantity) -> None:
    simulated = {design.kind for design in DESIGNS if design.floor.metric == quantity.name}
    assert kinds_of(quantity) <= simulated, f"benchmarks/designs.py has no {kinds_of(quantity) - simulated} of it"


def test_what_is_simulated_exists_and_what_is_never_proved_is_not_simulated() -> None:
    assert {design.floor.metric for design in DESIGNS} == {quantity.name for quantity in PROVED}
    assert [q.name for m in QUALITY.values() for q in m.quantities if q.unproved] == ["calibration_error"]


@pytest.mark.parametrize("kind", ["units", "groups"])
def test_rows_that_belong_together_are_simulated(kind: str) -> None:
    metrics = {design.floor.metric for design in DESIGNS if kind in design.setting}
    assert metrics >= ({"accuracy", "log_loss", "brier", "macro_f1", "flips"} if kind == "units" else {"worst_group"})


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
