"""Macro-F1 by hand and against scikit-learn."""

import pytest

from lighten.core import catalog
from lighten.core.rows import Rows
from lighten.testing.answers import in_documents, measured, noisy, sure, within


def test_by_hand() -> None:
    # class 0: 1 hit of 2 true, 1 predicted: 2/3; class 1: 1 hit of 1 true, 2 predicted: 2/3; class 2 does not occur
    assert measured("macro_f1", sure([0, 1, 1]), [0, 0, 1]).value == pytest.approx(2 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_parity_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference here")
    outputs, targets = noisy(seed)
    expected = metrics.f1_score(targets, outputs.argmax(axis=1), average="macro", labels=sorted(set(targets)))
    assert measured("macro_f1", outputs, targets).value == pytest.approx(expected)


def test_one_wrong_row_of_a_rare_class_weighs_more() -> None:
    targets = [0] * 990 + [1] * 10
    rows = Rows(("x",) * 1000, tuple(targets))
    verdict = catalog.load("meters", "macro_f1")().judge(
        sure(targets, 2), sure([*targets[:-1], 0], 2), rows, within("macro_f1", 0.05), 0
    )
    assert not verdict.holds and verdict.lower < -0.1


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("macro_f1")
    assert documents < rows
