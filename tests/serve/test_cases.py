"""Cases in a file: kept once, judged blind, bounded, and rows of the next run."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError
from lighten.serve.cases import Case, CaseStore, NoRoom, VersionAnswer, case_of


def flip(text: Any, **given: Any) -> Case:
    return case_of("m", "flip", text, [VersionAnswer("1", "good", 0.75), VersionAnswer("2", "bad", 0.5)], **given)


def judged(case: Case, verdict: str, label: str | None = None) -> Case:
    return case.judged_as(verdict, label, "anna")


def test_a_case_outlives_the_server_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "review.db"
    store = CaseStore(path, 10, 10_000)
    case = flip("日本 \ud800", note="as drawn")
    assert store.add(case)
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = CaseStore(path, 10, 10_000)
    (found,) = again.find("m", "flip", "open")
    assert found.input in ("日本 ?", "日本 \ud800") and found.answers == case.answers and found.note == "as drawn"
    assert again.find("other") == again.find("", "guard") == again.find("", "", "judged") == []
    again.close()


def test_what_comes_again_is_counted_and_not_asked_again(tmp_path: Path) -> None:
    store = CaseStore(tmp_path / "a", 10, 10_000)
    assert store.add(flip("x")) and not store.add(flip("x")) and store.add(flip("y"))
    assert [(one.input, one.seen) for one in store.find()] == [("x", 2), ("y", 1)]
    store.close()


def test_the_letters_are_drawn_for_each_case_and_stay(tmp_path: Path) -> None:
    cases = [flip("x") for _ in range(60)]
    first = [one.keys["A"].version for one in cases]
    assert first == [one.keys["A"].version for one in cases] and 10 < first.count("1") < 50
    assert all(set(one.keys) == {"A", "B"} and one.verdicts == ["A", "B", "both", "neither"] for one in cases)
    assert case_of("m", "guard", "x", []).verdicts == ["neither"]


def test_the_oldest_open_case_gives_way_and_what_was_judged_stays(tmp_path: Path) -> None:
    store = CaseStore(tmp_path / "a", 3, 10_000)
    cases = [flip(str(number)) for number in range(5)]
    store.add(cases[0])
    store.judge(judged(cases[0], "A"))
    for case in cases[1:]:
        store.add(case)
    assert {one.input for one in store.find()} == {"0", "3", "4"} and store.counts("m") == (2, 1)
    for case in cases[3:]:
        store.judge(judged(case, "both"))
    with pytest.raises(NoRoom):
        store.add(flip("5"))
    assert store.counts() == (0, 3)
    store.close()


def test_large_inputs_take_the_room_of_many(tmp_path: Path) -> None:
    store = CaseStore(tmp_path / "a", 100, 1000)
    for number in range(4):
        store.add(flip(f"{number}" * 250))
    assert [one.input[0] for one in store.find()] == ["1", "2", "3"]
    store.add(flip("x" * 800))
    assert [one.input[0] for one in store.find()] == ["x"]
    with pytest.raises(NoRoom):
        store.add(flip("y" * 2000))
    store.close()


def test_a_second_verdict_is_no_longer_blind() -> None:
    case = flip("x")
    key = next(key for key, one in case.keys.items() if one.version == "2")
    first = judged(case, key)
    assert (first.label, first.judge, first.blind) == ("bad", "anna", True)
    second = judged(first, "label", "so so")
    assert (second.verdict, second.label, second.blind) == ("label", "so so", False)
    assert judged(second, "neither").label is None


@pytest.mark.parametrize("kind", ["text", "database", "folder", "nowhere"])
def test_another_file_is_refused_and_left_alone(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if kind == "text":
        path.write_text("nothing of ours, and long enough to be looked at" * 40, encoding="utf-8")
    elif kind == "database":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE mine (a)")
        db.close()
    elif kind == "folder":
        path.mkdir()
    else:
        path = tmp_path / "no" / "folder" / "file"
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(InputError, match="cannot be kept") as error:
        CaseStore(path, 1, 1)
    assert "--review" in error.value.fix and (path.read_bytes() if path.is_file() else b"") == before
