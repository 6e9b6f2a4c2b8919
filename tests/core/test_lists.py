"""A list is a list, whatever its texts hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.lists import read_list, write_list


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("good,bad", ("good", "bad")),
        ('"good, on the whole",bad', ("good, on the whole", "bad")),
        ('["a, b", "c"]', ("a, b", "c")),
        ("[a],[b]", ("[a]", "[b]")),
        ('5" disk,tape', ('5" disk', "tape")),
        ("one", ("one",)),
        ("", ()),
    ],
)
def test_lists_are_read_as_people_write_them(written: str, texts: tuple[str, ...]) -> None:
    assert read_list(written) == texts


def test_a_sequence_is_not_cut() -> None:
    assert read_list(["a,b", "c"]) == ("a,b", "c")


@given(st.lists(st.text()))
def test_what_is_written_is_read_back(texts: list[str]) -> None:
    assert read_list(write_list(texts)) == tuple(texts)
