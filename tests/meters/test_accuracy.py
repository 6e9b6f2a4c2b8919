"""Accuracy by hand and against scikit-learn."""

import pytest

from lighten.core.result import Measured
from lighten.core.rows import Rows
from lighten.meters.accuracy import Accuracy
from lighten.testing.answers import in_documents, measured, noisy, sure


def test_by_hand() -> None:
    assert measured("accuracy", sure([0, 1, 2, 2]), [0, 1, 2, 0]) == Measured(0.75, 4)


@pytest.mark.parametrize("seed", range(5))
def test_parity_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference here")
    outputs, targets = noisy(seed)
    expected = metrics.accuracy_score(targets, outputs.argmax(axis=1))
    assert measured("accuracy", outputs, targets).value == pytest.approx(expected)


def test_what_each_row_adds_to_a_loss() -> None:
    before, after = sure([0, 1, 1, 2]), sure([0, 2, 2, 2])
    assert Accuracy().effects(before, after, Rows(("",) * 4, (0, 1, 2, 2))).tolist() == [0.0, 1.0, -1.0, 0.0]


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("accuracy")
    assert documents < rows
