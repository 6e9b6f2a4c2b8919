"""From answers to readings, verdicts, flips and groups."""

from typing import Any

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.budget import Constraint
from lighten.core.errors import UnknownName
from lighten.core.meter import QualityMeter
from lighten.core.task import Rows
from lighten.measure.quality import flips_of, groups_of, judge_all, meter_of, verdict

LABELS = ("no", "yes")


def quality_meters() -> dict[str, QualityMeter]:
    loaded = {name: catalog.load("meters", name) for name in catalog.names("meters")}
    return {name: cls() for name, cls in loaded.items() if issubclass(cls, QualityMeter)}


def logits(classes: list[int]) -> Any:
    return np.eye(2, dtype=np.float32)[classes] * 4


def case(n: int, broke: int, fixed: int, wrong: int = 100) -> tuple[Rows, Any, Any]:
    """n rows of class 1; the original has ``wrong`` of them wrong, the first ``fixed`` of which the candidate fixes."""
    before, after = [0] * wrong + [1] * (n - wrong), [1] * fixed + [0] * (wrong - fixed) + [1] * (n - wrong)
    after[wrong : wrong + broke] = [0] * broke
    rows = Rows(tuple(f"text {i}" for i in range(n)), (1,) * n, tuple("ab"[i % 2] for i in range(n)))
    return rows, logits(before), logits(after)


def test_readings_of_every_quantity() -> None:
    rows, before, after = case(1000, 12, 8)
    found = judge_all(quality_meters(), after, rows, before)
    assert found["accuracy"].measured.value == pytest.approx(0.896)
    assert found["flips"].measured.value == pytest.approx(0.020)
    assert found["accuracy"].quantity.unit == "fraction" and found["accuracy"].ratio is None


@pytest.mark.parametrize(
    ("constraint", "state", "margin"),
    [
        (Constraint("accuracy", 0.0125, "points", ""), "holds", 0.0125),
        (Constraint("accuracy", 0.0115, "points", ""), "not_enough_data", 0.0115),
        (Constraint("accuracy", 0.88, "", ""), "holds", 0.02),
        (Constraint("accuracy", 0.93, "", ""), "worse", -0.03),
        (Constraint("accuracy", 0.901, "", ""), "not_enough_data", -0.001),
        (Constraint("flips", 0.04, "", ""), "holds", 0.04),
        (Constraint("flips", 0.01, "", ""), "worse", 0.01),
    ],
)
def test_a_floor_is_judged_by_its_meter(constraint: Constraint, state: str, margin: float) -> None:
    rows, before, after = case(1000, 12, 8)  # golden: the lower bound is -0.0120
    judged = verdict(quality_meters(), constraint, before, after, rows, 0)
    assert (judged.metric, judged.state) == (constraint.metric, state)
    assert judged.margin == pytest.approx(margin)


def test_a_floor_above_the_original_holds_when_the_candidate_is_proved_better() -> None:
    rows, before, after = case(1000, 0, 60)
    judged = verdict(quality_meters(), Constraint("accuracy", 0.92, "", ""), before, after, rows, 0)
    assert judged.holds and judged.margin == pytest.approx(-0.02)


def test_what_cannot_be_judged() -> None:
    rows, before, after = case(100, 1, 1, 10)
    with pytest.raises(UnknownName, match="did you mean 'accuracy'"):
        meter_of(quality_meters(), "acuracy")
    with pytest.raises(ValueError, match="no group column"):
        verdict(
            quality_meters(),
            Constraint("worst_group", 0.02, "points", ""),
            before,
            after,
            Rows(rows.inputs, rows.targets),
            0,
        )


def test_flips_and_groups() -> None:
    rows = Rows(("p", "q", "r", "s"), (1, 1, 0, 0), ("x", "x", "y", "y"))
    before, after = logits([1, 0, 0, 1]), logits([0, 1, 0, 1])
    broke, fixed = flips_of(before, after, rows, LABELS)
    assert (broke.kind, broke.text, broke.label, broke.original, broke.winner, broke.group) == (
        "broke",
        "p",
        "yes",
        "yes",
        "no",
        "x",
    )
    assert (fixed.kind, fixed.text) == ("fixed", "q")
    assert [(g.name, g.n, g.original, g.winner) for g in groups_of(before, after, rows)] == [
        ("x", 2, 0.5, 0.5),
        ("y", 2, 0.5, 0.5),
    ]
    assert groups_of(before, after, Rows(rows.inputs, rows.targets)) == ()
