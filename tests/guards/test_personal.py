"""Personal data: what has a checksum is found by it, and nothing else is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.errors import UnknownName
from lighten.core.guard import Finder, GuardError, replaced
from lighten.guards.personal import KINDS, Personal
from lighten.testing.finder_contract import check_finder

pytest.importorskip("re2", reason="pip install 'lighten[serve]'")


@cache
def personal(*kinds: str) -> Finder:
    guard = Personal(action="redact", on=("logs",), kinds=kinds or tuple(KINDS))
    guard.check()
    return guard.finder(Path())


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("ann.b+c@mail.example.org.", "[email]."),
        ("call +49 (0) 30 123456 or (212) 555-0199", "call [phone] or [phone]"),
        ("打13812345678，身份证11010519491231002x。", "打[phone]，身份证[chinese_id]。"),
        ("card 4111-1111-1111-1111, not 4111-1111-1111-1112", "card [card], not 4111-1111-1111-1112"),
        ("DE89 3704 0044 0532 0130 00 AND de88370400440532013000", "[iban] AND de88370400440532013000"),
        ("from 10.0.0.1 and 2001:db8::1, at 12:30:45", "from [ip] and [ip], at 12:30:45"),
        ("version 1.2.3 of 300.1.1.1", "version 1.2.3 of 300.1.1.1"),
        ("on 2024-01-02 we sold 1,234,567 for 99.95", "on 2024-01-02 we sold 1,234,567 for 99.95"),
    ],
)
def test_it_is_replaced_by_its_kind(text: str, after: str) -> None:
    assert replaced(text, personal().spans(text)) == after


def test_only_the_kinds_that_are_asked_for() -> None:
    text = "ann@example.org 4111111111111111"
    assert replaced(text, personal("card").spans(text)) == "ann@example.org [card]"
    with pytest.raises(UnknownName, match="emails"):
        personal("emails")
    with pytest.raises(GuardError, match="nothing"):
        Personal(action="redact", on=("logs",), kinds=()).check()


def test_a_checksum_that_is_wrong_by_one_digit_is_none() -> None:
    for kind, text in (
        ("iban", "GB29NWBK60161331926819"),
        ("card", "5500005555555559"),
        ("chinese_id", "11010519491231002X"),
    ):
        assert len(personal(kind).spans(text)) == 1
        wrong = "".join(str((int(one) + 1) % 10) if n == 9 else one for n, one in enumerate(text))
        assert personal(kind).spans(wrong) == [], wrong


PIECES = (
    "ann@example.org", "@", ".", "a", " ", "4111 1111 1111 1111", "4111111111111111", "12", "-", "+49 30 1234567",
    "(212) 555-0199", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "AND", "10.0.0.1", "fe80::1", ":",
    "11010519491231002X", "号", "é", "13812345678", "1", "0",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), st.lists(st.integers(0, 150), max_size=12))
def test_pieces_change_nothing(text: str, cuts: list[int]) -> None:
    check_finder(personal(), text, cuts)
