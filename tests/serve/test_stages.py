"""What is written leaves as guards let it, however it is cut into pieces."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighten.core.guard import Guard, TextGuard
from lighten.guards.classifier import Classifier
from lighten.guards.personal import Personal
from lighten.guards.words import Words
from lighten.serve.rules import Rule
from lighten.serve.stages import Judged, Pipeline, Search, Stage, Stopped

OUT = ("output",)


def rule(guard: Guard) -> Rule:
    return Rule("r", guard, "", guard.finder(Path()) if isinstance(guard, TextGuard) else None)


def words(action: str, *entries: str) -> Rule:
    return rule(Words(action=action, on=OUT, words=entries, where="anywhere"))


def judged(every: int = 0) -> Judged:
    """Stops texts in which ``xx`` stands."""

    async def judge(text: str) -> bool:
        return "xx" in text

    return Judged(rule(Classifier(action="refuse", on=OUT, model="m", label="l", every=every)), judge)


def write(stages: list[Stage], pieces: list[str]) -> tuple[str, list[str], bool]:
    """What leaves together, what leaves with each piece, and whether it was stopped."""
    pipeline, parts = Pipeline(stages), list[str]()

    async def body() -> bool:
        try:
            for piece in pieces:
                parts.append(await pipeline.push(piece, over=False))
            parts.append(await pipeline.push("", over=True))
        except Stopped as stop:
            parts.append(stop.before)
            return True
        return False

    stopped = asyncio.run(body())
    return "".join(parts), parts, stopped


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(min(one, len(text)) for one in places)})
    return [text[begin:end] for begin, end in pairwise(edges)]


def chain() -> list[Stage]:
    return [
        Search(words("redact", "ab", "bcd")),  # what is found may reach into what may begin
        Search(words("flag", "d")),
        Search(words("refuse", "cad", "dd")),
        judged(every=4),
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcdx", max_size=30), st.lists(st.integers(0, 30), max_size=8))
def test_the_same_leaves_and_the_same_is_stopped(text: str, places: list[int]) -> None:
    once, letters, pieces = (write(chain(), cut(text, where))[::2] for where in ([], list(range(30)), places))
    assert once == letters == pieces
    left, stopped = once
    assert "ab" not in left and "cad" not in left and "dd" not in left and "xx" not in left
    assert stopped or left == re.sub("ab|bcd", "[removed]", text)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abc ", max_size=20), st.text(alphabet="abc ", max_size=20), st.integers(0, 40))
def test_personal_data_never_leaves(before: str, after: str, place: int) -> None:
    pytest.importorskip("re2", reason="pip install 'lighten[serve]'")
    text = f"{before} 4111 1111 1111 1111 {after}"
    left, _, _ = write([Search(rule(Personal(action="redact", on=OUT)))], cut(text, [place, place + 1]))
    assert left == f"{before} [card] {after}"


def test_what_comes_before_the_stop_leaves_though_a_later_guard_holds_it() -> None:
    stages: list[Stage] = [Search(words("refuse", "bad")), Search(words("redact", "xab"))]
    assert write(stages, ["xa", "bad and more"]) == ("xa", ["", "xa"], True)


def test_only_what_may_become_a_word_is_held_back() -> None:
    stage = Search(words("refuse", "bad"))
    assert write([stage], ["a b", "i", "g bat", " ba", "d end"]) == (
        "a big bat ", ["a ", "bi", "g bat", " ", ""], True,
    )  # fmt: skip


def test_a_flag_holds_nothing_back() -> None:
    stage = Search(words("flag", "bad"))
    assert write([stage], ["a ba", "d e"])[1:] == (["a ba", "d e", ""], False) and stage.found == 1


def test_what_would_be_replaced_is_stopped_where_nothing_may_be_changed() -> None:
    assert write([Search(words("redact", "bad"), strict=True)], ["a bad"]) == ("a ", ["a ", ""], True)


def test_a_model_judges_the_whole_or_parts_with_those_before_them() -> None:
    seen: list[str] = []

    async def judge(text: str) -> bool:
        seen.append(text)
        return False

    def asked(every: int, *pieces: str) -> tuple[Any, list[str]]:
        seen.clear()
        stage = Judged(rule(Classifier(action="refuse", on=OUT, model="m", label="l", every=every)), judge)
        return write([stage], list(pieces))[1], list(seen)

    assert asked(0, "abc", "def") == (["", "", "abcdef"], ["abcdef"])
    told = ["ab", "abcd", "abcdef", "cdefgh", "efghi"]
    assert asked(2, "a", "bcdefg", "hi") == (["", "abcdef", "gh", "i"], told)
    assert asked(0, "") == (["", ""], [])
