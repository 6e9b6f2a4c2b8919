"""Exact match by hand, up to case, spacing and a final full stop."""

import numpy as np
import pytest

from lighten.core.language_codes import answer_code
from lighten.core.result import Measured
from lighten.core.rows import Rows
from lighten.meters.exact_match import ExactMatch
from lighten.testing.answers import sure, within

METER = ExactMatch()


def codes(*texts: str) -> np.ndarray:
    return np.array([[answer_code(text)] for text in texts])


def asked(*references: str, units: tuple[str, ...] = ()) -> Rows:
    return Rows(tuple(map(str, range(len(references)))), (0,) * len(references), units=units, references=references)


def test_by_hand() -> None:
    rows = asked("Paris", "42", "New York", "yes")
    assert METER.measure(codes("paris.", "43", " new  york", "YES"), rows, None)["exact_match"] == Measured(0.75, 4)


def test_without_references_it_is_unknown_and_not_judged() -> None:
    rows = Rows(("a", "b"), (0, 0))
    found = METER.measure(codes("a", "b"), rows, None)["exact_match"]
    assert found.value is None and "reference" in found.note
    with pytest.raises(ValueError, match="reference"):
        METER.judge(codes("a", "b"), codes("a", "b"), rows, within("exact_match", 0.1), 0)
    assert METER.measure(sure([0, 1]), asked("a", "b"), None)["exact_match"].value is None


def test_what_each_row_adds() -> None:
    before, after = codes("a", "b", "x", "y"), codes("a", "x", "c", "z")
    assert METER.effects(before, after, asked("a", "b", "c", "d")).tolist() == [0.0, 1.0, -1.0, 0.0]


def case(n: int, broke: int) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    said = tuple(f"answer {i}" for i in range(n))
    return said, codes(*said), codes(*["wrong"] * broke, *said[broke:])


def test_the_verdict_is_tangos() -> None:
    said, before, after = case(1000, 12)
    judged = METER.judge(before, after, asked(*said), within("exact_match", 0.02), 0)
    assert (judged.state, judged.method, judged.b, judged.c) == ("holds", "tango and exact", 12, 0)
    assert METER.judge(before, after, asked(*said), within("exact_match", 0.005), 0).state == "worse"


def test_rows_of_one_document_prove_less() -> None:
    said, before, after = case(1200, 12)
    alone = METER.judge(before, after, asked(*said), within("exact_match", 0.02), 0)
    documents = tuple(f"document {i // 12}" for i in range(1200))
    together = METER.judge(before, after, asked(*said, units=documents), within("exact_match", 0.02), 0)
    assert (alone.units, together.units) == (1200, 100) and together.lower < alone.lower
