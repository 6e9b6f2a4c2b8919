"""The ledger knows which rows were opened before, here and only here, and no run fails because of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lighten.data.examples import Example
from lighten.store import ledger
from lighten.store.ledger import Openings, earlier_openings, record_opening


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def ids(first: int, many: int) -> list[str]:
    return [Example(f"row {i}", "", 0).id for i in range(first, first + many)]


def test_rows_that_were_never_opened_are_not_known(home: Path) -> None:
    assert earlier_openings(ids(0, 100)) == Openings()
    assert not home.exists(), "asking writes nothing"


def test_openings_are_counted_by_run_and_by_row() -> None:
    assert record_opening("one", ids(0, 100), run="runs/a", data="a.csv") == ""
    assert record_opening("two", ids(50, 100), run="runs/b", data="a.csv") == ""
    assert earlier_openings(ids(0, 100)) == Openings(100, 2)
    assert earlier_openings(ids(100, 100)) == Openings(50, 1)
    assert earlier_openings(ids(0, 100), "one") == Openings(50, 1), "a run that is resumed does not count itself"
    record_opening("two", ids(50, 100), run="runs/b", data="a.csv")
    assert earlier_openings(ids(0, 100)) == Openings(100, 2), "the same opening again is one"


def test_a_row_in_common_by_chance_is_no_opening() -> None:
    record_opening("one", ids(0, 500), run="r", data="d")
    assert earlier_openings(ids(498, 500)).runs == 0
    assert earlier_openings(ids(490, 500)) == Openings(10, 1)


def test_of_many_rows_a_share_of_the_hashes_is_kept_and_counts_for_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_HASHES", 1000)
    record_opening("many", ids(0, 8000), run="r", data="d")
    assert (home / "proofs" / "many.rows").stat().st_size < 8 * 1000 + 300
    found = earlier_openings(ids(0, 8000))
    assert found.runs == 1 and found.rows == pytest.approx(8000, rel=0.15)
    half = earlier_openings(ids(4000, 8000))
    assert half.rows == pytest.approx(4000, rel=0.25)


def test_the_ledger_keeps_no_text_and_can_be_read_and_deleted(home: Path) -> None:
    record_opening("one", ids(0, 3), run="runs/a", data="a.csv")
    line, _, rest = (home / "proofs" / "one.rows").read_bytes().partition(b"\n")
    assert json.loads(line)["run"] == "runs/a" and len(rest) == 24 and b"row 1" not in rest
    (home / "proofs" / "one.rows").unlink()
    assert earlier_openings(ids(0, 3)) == Openings()


def test_what_was_cut_off_says_nothing(home: Path) -> None:
    record_opening("one", ids(0, 100), run="r", data="d")
    path = home / "proofs" / "one.rows"
    path.write_bytes(path.read_bytes()[:-3])
    (home / "proofs" / "two.rows").write_bytes(b"nonsense")
    assert earlier_openings(ids(0, 100)) == Openings()


def test_a_home_that_cannot_be_used_is_said_and_not_fatal(home: Path) -> None:
    home.write_text("a file")
    problem = record_opening("one", ids(0, 3), run="r", data="d")
    assert "could not be written" in problem and "LIGHTEN_HOME" in problem
