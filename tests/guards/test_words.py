"""Words of a list, in whatever letters they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.errors import UnknownName
from lighten.core.guard import Finder, GuardError, replaced
from lighten.guards.words import Words
from lighten.testing.finder_contract import check_finder

HERE = Path()
LISTS = (("bad", "ab", "abba", "bad cab", "é", "坏蛋", "가", "fi", "а"), ("a", "ba", "aß", "éa"))


def words(*entries: str, folder: Path = HERE, **more: Any) -> Finder:
    guard = Words(action="redact", on=("input",), words=entries, **more)
    guard.check()
    return guard.finder(folder)


def cut(finder: Finder, text: str) -> str:
    return replaced(text, finder.spans(text))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a BAD one", "a [removed] one"),
        ("badge, forbad, bad_boy", "badge, forbad, [removed]_boy"),
        ("b\u200ba\u00add!", "[removed]!"),  # characters without a width
        ("ВАD and ｂａｄ and 𝐛𝐚𝐝", "[removed] and [removed] and [removed]"),  # Cyrillic letters, wide ones, bold ones
        (
            "bàd, bad\u0320",
            "bàd, bad\u0320",
        ),  # marks tell words apart, those that become no character of their own, too
        ("kill \n  yourself", "[removed]"),
        ("不要坏蛋了", "不要[removed]了"),  # no borders between words
        ("this is bad了", "this is [removed]了"),
        ("cafe, café, cafe\u0301", "cafe, [removed], [removed]"),
    ],
)
def test_what_a_reader_sees_is_compared(text: str, after: str) -> None:
    assert cut(words("bad", "kill yourself", "坏蛋", "café"), text) == after


def test_anywhere_and_accents_are_settings() -> None:
    assert cut(words("bad", where="anywhere"), "forbade") == "for[removed]e"
    assert cut(words("cafe", accents=False), "un café, uno cafe\u0301\u0320") == "un [removed], uno [removed]"


def test_letters_of_other_alphabets_are_words_of_their_own() -> None:
    russian = words("рот", "да")
    assert cut(russian, "РОТ и Да") == "[removed] и [removed]"  # as it is written, not as it looks
    assert cut(russian, "pot") == "pot"
    assert cut(words("각"), "가각 \u1100\u1161\u11a8") == "가각 [removed]"  # a syllable in three parts is that syllable


def test_the_longest_of_those_that_begin_together_is_found() -> None:
    found = words("bad", "bad cat", "badger", "cat").spans("bad cat badger bad dog")
    assert [(one.begin, one.end) for one in found] == [(0, 7), (8, 14), (15, 18)]


def test_lists_are_files(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("\ufeff# of two\n\n bad \r\nvery worse\n", encoding="utf-8")
    guard = Words(action="refuse", on=("output",), files=("list.txt",))
    guard.check()
    finder = guard.finder(tmp_path)
    assert len(finder.spans("bad, and very  worse; of two")) == 2


def test_a_list_that_cannot_be_used_says_which_line(tmp_path: Path) -> None:
    def opened(name: str) -> Finder:
        return Words(action="refuse", on=("input",), files=(name,)).finder(tmp_path)

    with pytest.raises(GuardError, match=r"gone\.txt is not there"):
        opened("gone.txt")
    (tmp_path / "long.txt").write_text("ok\n" + "x" * 101, encoding="utf-8")
    with pytest.raises(GuardError, match=r"long\.txt, line 2"):
        opened("long.txt")
    (tmp_path / "latin.txt").write_bytes("schön".encode("latin-1"))
    with pytest.raises(GuardError, match="not UTF-8"):
        opened("latin.txt")
    (tmp_path / "none.txt").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(GuardError, match="holds no word"):
        opened("none.txt")


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GuardError, match="no words"):
        Words(action="refuse", on=("input",)).check()
    with pytest.raises(UnknownName, match="side"):
        Words(action="refuse", on=("inputs",), words=("x",)).check()
    with pytest.raises(UnknownName, match="action"):
        Words(action="replace", on=("input",), words=("x",)).check()
    with pytest.raises(GuardError, match="nothing can be refused"):
        Words(action="refuse", on=("input", "logs"), words=("x",)).check()
    with pytest.raises(GuardError, match="nowhere"):
        Words(action="refuse", words=("x",)).check()


def test_many_words_and_marks_without_end_take_no_time() -> None:
    many = words(*(f"word{number:05d}" for number in range(3000)), "ab" * 50, *("a" * n for n in range(1, 100)))
    assert len(many.spans("word00042 word02999 word03000 " + "a" * 99 + " " + "a" * 5000)) == 3
    assert words("bad").spans("bad" + "\u0301\u0323" * 100_000) == []  # that many marks are sorted nowhere
    assert len(words("bad").spans("\u200b" * 100_000 + "bad")) == 1


FINDERS = [
    words(*entries, where=where, accents=accents)
    for entries in LISTS
    for where in ("whole", "anywhere")
    for accents in (True, False)
]
TEXTS = st.text(alphabet="abdAB cеаВ\u200b\u0301\u0300 \n坏蛋了ßéㄱᆨ가각_-\u0130ﬁ\u3000", max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FINDERS), TEXTS, st.lists(st.integers(0, 60), max_size=12))
def test_pieces_change_nothing(finder: Finder, text: str, cuts: list[int]) -> None:
    check_finder(finder, text, cuts)


def test_no_more_is_held_back_than_may_become_a_word() -> None:
    finder = words("bad", "badger")
    assert [finder.scan(text, 0, over=False)[1] for text in ("hello", "hello b", "a bad", "a bade", "a badg")] == [
        5, 6, 2, 6, 2,
    ]  # fmt: skip
