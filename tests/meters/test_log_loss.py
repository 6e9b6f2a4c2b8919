"""Log-loss by hand and against scikit-learn."""

import math

import pytest

from lighten.testing.answers import in_documents, measured, noisy, probabilities


def test_by_hand() -> None:
    outputs = [[math.log(0.8), math.log(0.2)], [math.log(0.5), math.log(0.5)]]
    assert measured("log_loss", outputs, [0, 1]).value == pytest.approx(-(math.log(0.8) + math.log(0.5)) / 2)


def test_a_sure_and_wrong_answer_is_finite() -> None:
    assert measured("log_loss", [[1000.0, 0.0]], [1]).value == pytest.approx(1000.0)


@pytest.mark.parametrize("seed", range(5))
def test_parity_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference here")
    outputs, targets = noisy(seed)
    expected = metrics.log_loss(targets, probabilities(outputs), labels=[0, 1, 2, 3])
    assert measured("log_loss", outputs, targets).value == pytest.approx(expected)


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("log_loss")
    assert documents < rows
