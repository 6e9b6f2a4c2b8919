"""The worst group by hand."""

import pytest

from lighten.core import catalog
from lighten.core.result import Measured
from lighten.core.task import Rows
from lighten.testing.answers import in_documents, measured, sure


def test_by_hand() -> None:
    found = measured("worst_group", sure([0, 0, 0, 1, 1]), [0, 0, 1, 1, 0], "aabbb")
    assert found == Measured(pytest.approx(1 / 3), 3, note="group 'b'")


def test_without_groups_it_is_unknown_and_cannot_be_judged() -> None:
    found = measured("worst_group", sure([0]), [0])
    assert found.value is None and "no group column" in found.note
    with pytest.raises(ValueError, match="no group column"):
        catalog.load("meters", "worst_group")().judge(sure([0]), sure([0]), Rows(("x",), (0,)), 0.01, 0)


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("worst_group")
    assert documents < rows
