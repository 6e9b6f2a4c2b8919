"""Regular expressions that cannot keep a server busy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.guard import Finder, GuardError, replaced
from lighten.guards._prefixes import prefixes_of
from lighten.guards.patterns import Patterns
from lighten.testing.finder_contract import check_finder

re2 = pytest.importorskip("re2", reason="pip install 'lighten[serve]'")
EXPRESSIONS = (
    r"\bab\b", r"a+b?", r"(?i)ab|abba|b{2,3}", r"a.*b", r"^a", r"b$", r"(?m)^a|b$", r"(?:ab){1,2}c", r"[^a]b",
    r"\Bb", r"(a|ab)(c|bcd)?", r"é+a", r"(?s)a.{0,3}b", r"(?P<n>a(?i:B))|c{2,}", r"\p{Han}[]a^-]",
)  # fmt: skip


def patterns(*every: str) -> Finder:
    guard = Patterns(action="redact", on=("input",), patterns=every)
    guard.check()
    return guard.finder(Path())


def test_what_matches_is_found() -> None:
    finder = patterns(r"\bAKIA[0-9A-Z]{16}\b", "(?i)secret")
    text = "é AKIAIOSFODNN7EXAMPLE, Secret; AKIAIOSFODNN7EXAMPLEX"
    assert replaced(text, finder.spans(text)) == "é [removed], [removed]; AKIAIOSFODNN7EXAMPLEX"


def test_no_expression_takes_forever() -> None:
    finder = patterns(r"(a+)+$", r"(?:a|a)*c", r"(?:x+x+)+y")
    assert finder.spans("a" * 50_000 + "b" + "x" * 50_000) == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a(", "missing \\)"),
        ("(?=a)b", "invalid perl operator"),
        (r"(a)\1", "invalid escape"),
        ("a*", "matches where nothing is"),
        (r"\b", "matches where nothing is"),
        ("a(?i)b", "at the beginning"),
        (r"\Qa+\E", "is not taken"),
        ("a{1001}", "repetition"),
    ],
)
def test_an_expression_that_cannot_be_used_says_why(pattern: str, why: str) -> None:
    with pytest.raises(GuardError, match=why) as caught:
        patterns(pattern)
    assert caught.value.value == pattern


def test_a_guard_without_expressions_is_none() -> None:
    with pytest.raises(GuardError, match="no patterns"):
        patterns()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3, unique=True),
    st.text(alphabet="abcABdé \n坏", max_size=25),
    st.lists(st.integers(0, 30), max_size=12),
)
def test_pieces_change_nothing(every: list[str], text: str, cuts: list[int]) -> None:
    check_finder(patterns(*every), text, cuts)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EXPRESSIONS), st.text(alphabet="abcABdé \n坏", max_size=15))
def test_every_beginning_of_a_match_is_known(pattern: str, text: str) -> None:
    match = re2.search(pattern, text)
    if match is None:
        return
    prefixes, empty, longest = prefixes_of(pattern)
    assert not empty and (longest is None or len(match.group()) <= longest)
    for end in range(len(match.group()) + 1):
        assert re2.fullmatch(prefixes, match.group()[:end]), (prefixes, match.group()[:end])


def test_no_more_is_held_back_than_may_become_a_match() -> None:
    finder = patterns(r"AB[0-9]{3}")
    assert [finder.scan(text, 0, over=False)[1] for text in ("xy", "xA", "AB12", "AB1x", "xAB123")] == [2, 1, 0, 4, 1]
