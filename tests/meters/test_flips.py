"""Flips by hand."""

from lighten.core.result import Measured
from lighten.testing.answers import in_documents, measured, sure


def test_every_changed_answer_counts() -> None:
    before, after = sure([0, 1, 2, 0]), sure([1, 0, 2, 0])
    assert measured("flips", after, [0, 0, 2, 1], original=before) == Measured(0.5, 4)
    assert measured("flips", before, [0, 0, 2, 1], original=before).value == 0.0


def test_without_the_original_it_is_unknown() -> None:
    found = measured("flips", sure([0]), [0])
    assert found.value is None and "original" in found.note


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("flips")
    assert documents < rows
