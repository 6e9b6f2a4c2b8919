"""What select shows of a floor: the room it leaves and how sure that is, by hand and against a simulation."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core.budget import Constraint
from lighten.core.result import HIGHER, LOWER, Quantity
from lighten.meters._outlook import of_classes, of_right, of_rows, of_scores

POINTS = Constraint("accuracy", 0.05, "points", "")
LOSS, SCORE = Quantity("loss", "nats", LOWER, "."), Quantity("score", "unit", HIGHER, ".")


def test_by_hand() -> None:
    found = of_rows(np.array([1.0, 0.0, 0.0, 1.0]), 0.75)
    assert (found.room, found.deviation, found.share) == (0.25, 0.5, 1.0)


def test_rows_of_a_unit_that_go_wrong_together_are_less_sure() -> None:
    worse = np.repeat([1.0, 0.0], 50)
    apart, together = of_rows(worse, 1.0), of_rows(worse, 1.0, [f"u{i // 10}" for i in range(100)])
    assert together.deviation == pytest.approx(apart.deviation * 10**0.5)  # ten rows of a unit count as one


def test_right_rows_against_the_original_and_by_themselves() -> None:
    before, after = np.arange(100) < 90, np.arange(100) < 88
    lost, value = of_right(before, after, POINTS), of_right(before, after, Constraint("accuracy", 0.85, "", ""))
    assert lost.room == pytest.approx(0.03) and value.room == pytest.approx(0.03)
    assert lost.deviation == pytest.approx((0.02 * 0.98) ** 0.5)
    assert value.deviation == pytest.approx((0.88 * 0.12) ** 0.5)
    assert of_right(before, before, POINTS).deviation == 0.1  # nothing changed in 100 rows: one in 100 may
    assert of_right(before, after, POINTS, of=400).share == 0.25


@pytest.mark.parametrize(
    ("bound", "relative", "quantity", "room"),
    [
        (0.1, "points", LOSS, 0.1 - 0.05),
        (0.1, "ratio", LOSS, 0.1 * 1.0 - 0.05),
        (1.2, "", LOSS, 1.2 - 1.05),
        (0.1, "points", SCORE, 0.1 + 0.05),
        (0.1, "ratio", SCORE, 1.05 - 0.9),
        (1.0, "", SCORE, 0.05),
    ],
)
def test_room_of_a_score_in_every_way_it_can_be_asked(
    bound: float, relative: str, quantity: Quantity, room: float
) -> None:
    before = np.array([0.5, 1.5, 1.0, 1.0])
    found = of_scores(before, before + 0.05, Constraint(quantity.name, bound, relative, ""), quantity, ())
    assert found.room == pytest.approx(room)


def test_a_rare_class_makes_a_mean_over_classes_unsure() -> None:
    truth = np.repeat([0, 1], [980, 20])
    changed = np.arange(1000) % 50 == 0
    even = of_classes(changed, np.arange(1000) % 2, 0.0, 0.02, POINTS)
    rare = of_classes(changed, truth, 0.0, 0.02, POINTS)
    assert rare.deviation > 3 * even.deviation and rare.room == 0.02
