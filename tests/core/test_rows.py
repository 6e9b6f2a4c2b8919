"""Rows and parts: what a fingerprint tells apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.rows import PART_NAMES, Parts, Rows

ROWS = Rows(("a", "b", "c"), (0, 1, 0), ("x", "y", "x"), ("u", "u", "v"), ("1", "2", "3"))


def test_taking_rows_keeps_every_column_and_the_order() -> None:
    assert ROWS.take([2, 0]) == Rows(("c", "a"), (0, 0), ("x", "x"), ("v", "u"), ("3", "1"))
    assert Rows(("a", "b"), (0, 1)).take([1]) == Rows(("b",), (1,))
    assert len(ROWS.take([])) == 0


@pytest.mark.parametrize(
    "other",
    [
        ROWS.take([1, 0, 2]),
        ROWS.take([0, 1]),
        replace(ROWS, targets=(0, 1, 1)),
        replace(ROWS, groups=()),
        replace(ROWS, units=()),
        replace(ROWS, groups=ROWS.units, units=ROWS.groups),
        replace(ROWS, inputs=("a", "b", "c ")),
        replace(ROWS, inputs=("a", "b\0", "c")),
    ],
)
def test_a_fingerprint_tells_rows_apart(other: Rows) -> None:
    assert other.fingerprint() != ROWS.fingerprint()
    assert replace(ROWS, ids=()).fingerprint() == ROWS.fingerprint()


def test_no_text_can_play_the_border_between_two() -> None:
    assert Rows(("a\0", "b"), (0, 1)).fingerprint() != Rows(("a", "\0b"), (0, 1)).fingerprint()
    assert Rows(("1:a", ""), (0, 1)).fingerprint() != Rows(("1:", "a"), (0, 1)).fingerprint()


@given(st.lists(st.text(alphabet=st.characters(), max_size=5), max_size=5))
def test_any_text_has_a_fingerprint(texts: list[str]) -> None:
    rows = Rows((*texts, "\ud800"), tuple(range(len(texts) + 1)))
    assert len(rows.fingerprint()) == 16
    assert rows.fingerprint() == rows.take(range(len(rows))).fingerprint()


def test_parts_by_name() -> None:
    parts = Parts(*(ROWS.take([i]) for i in (0, 1, 2, 0)), labels=("no", "yes"))
    assert [parts[name] for name in PART_NAMES] == [parts.train, parts.tune, parts.select, parts.proof]
    for wrong in ("labels", "test", "__class__"):
        with pytest.raises(KeyError):
            parts[wrong]


def test_a_fingerprint_tells_parts_apart() -> None:
    parts = Parts(*(ROWS.take([i]) for i in (0, 1, 2, 0)), labels=("no", "yes"))
    others = [
        replace(parts, train=parts.tune, tune=parts.train),
        replace(parts, labels=("yes", "no")),
        replace(parts, labels=("no|yes",)),
        replace(parts, labels=("no", "\ud800")),
    ]
    assert len({p.fingerprint for p in (parts, *others)}) == 5
    assert replace(parts, notes=("n",)).fingerprint == parts.fingerprint


def test_rows_of_two_parts_together() -> None:
    one, other = Rows(("a",), (0,), ("x",), (), ("1",)), Rows(("b", "c"), (1, 0), ("y", "x"), (), ("2", "3"))
    assert one + other == Rows(("a", "b", "c"), (0, 1, 0), ("x", "y", "x"), (), ("1", "2", "3"))
