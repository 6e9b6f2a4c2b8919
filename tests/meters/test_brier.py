"""The Brier score by hand and against scikit-learn."""

import math

import numpy as np
import pytest

from lighten.core.budget import Constraint
from lighten.core.rows import Rows
from lighten.meters.brier import Brier
from lighten.testing.answers import in_documents, measured, noisy, probabilities, within


def test_by_hand() -> None:
    # 0.8 for the right one of two classes: 0.2 squared twice; even odds: 0.5 squared twice
    outputs = [[math.log(0.8), math.log(0.2)], [0.0, 0.0]]
    assert measured("brier", outputs, [0, 1]).value == pytest.approx((0.08 + 0.5) / 2)


def test_sure_and_wrong_is_two_and_sure_and_right_is_none() -> None:
    assert measured("brier", [[1000.0, 0.0, 0.0]], [1]).value == pytest.approx(2.0)
    assert measured("brier", [[1000.0, 0.0, 0.0]], [0]).value == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_parity_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference here")
    outputs, targets = noisy(seed)
    chances = probabilities(outputs)
    expected = sum(
        metrics.brier_score_loss(np.equal(targets, label), chances[:, label], pos_label=True) for label in range(4)
    )
    assert measured("brier", outputs, targets).value == pytest.approx(expected)


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("brier")
    assert documents < rows


def test_a_share_of_the_original_and_a_ceiling() -> None:
    outputs, targets = noisy(0, n=4000)
    rows = Rows(("x",) * 4000, tuple(targets))
    cooler = outputs * 0.98
    shared = Brier().judge(outputs, cooler, rows, Constraint("brier", 0.05, "ratio", ""), 0)
    assert (shared.kind, shared.state) == ("share", "holds")
    value = measured("brier", outputs, targets).value
    assert value is not None
    ceilings = [Constraint("brier", value * by, "", "") for by in (1.2, 1.0, 0.8)]
    states = [Brier().judge(outputs, outputs, rows, ceiling, 0).state for ceiling in ceilings]
    assert states == ["holds", "not_enough_data", "worse"]


def test_a_row_may_cost_two() -> None:
    """Nothing changed in 100 rows: still one in 33 could, and cost 2 each."""
    outputs, targets = noisy(0, n=100)
    same = Brier().judge(outputs, outputs, Rows(("x",) * 100, tuple(targets)), within("brier", 0.05), 0)
    assert same.state == "not_enough_data" and same.lower == pytest.approx(-2 * 0.0295, abs=1e-3)
