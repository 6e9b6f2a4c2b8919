"""What was found in files is known in the next command; a store that is damaged, locked or nowhere costs time only."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lighten.store import findings
from lighten.store.findings import FILE, Findings

FOUND = {f"{number:032x}": bytes([number % 256, 7]) for number in range(1200)}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_one_finder_kept_it_knows_and_no_other_version_does(home: Path) -> None:
    assert Findings("sensor 1").known(list(FOUND)) == {}
    Findings("sensor 1").keep(FOUND)
    assert Findings("sensor 1").known([*FOUND, "f" * 32]) == FOUND
    assert Findings("sensor 2").known(list(FOUND)) == {}
    Findings("sensor 1").keep({"0" * 32: b"new"})
    assert Findings("sensor 1").known(["0" * 32]) == {"0" * 32: b"new"}


def test_the_oldest_go_where_there_are_too_many(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST", 1000)
    Findings("sensor").keep(FOUND)
    assert set(Findings("sensor").known(list(FOUND))) == set(list(FOUND)[-1000:])


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_file_is_as_none(home: Path, content: bytes) -> None:
    home.mkdir()
    (home / FILE).write_bytes(content)
    assert Findings("sensor").known(["0" * 32]) == {}
    Findings("sensor").keep({"0" * 32: b"x"})
    assert Findings("sensor").known(["0" * 32]) == {"0" * 32: b"x"}


def test_a_file_with_a_hole_in_it_is_as_none(home: Path) -> None:
    Findings("sensor").keep(FOUND)
    data = bytearray((home / FILE).read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    (home / FILE).write_bytes(data)
    known = Findings("sensor").known(list(FOUND))
    assert known.items() <= FOUND.items()
    Findings("sensor").keep(FOUND)
    Findings("sensor").keep(FOUND)  # the first may have met the damage
    assert Findings("sensor").known(list(FOUND)) == FOUND


def test_a_value_that_was_changed_is_not_believed(home: Path) -> None:
    Findings("sensor").keep({"0" * 32: b"true", "1" * 32: b"also"})
    with sqlite3.connect(home / FILE) as db:
        db.execute("UPDATE finding SET value = x'00' || substr(value, 2) WHERE id = 1")
    assert Findings("sensor").known(["0" * 32, "1" * 32]) == {"1" * 32: b"also"}


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    monkeypatch.setenv("LIGHTEN_HOME", str(tmp_path / "home"))
    Findings("sensor").keep({"0" * 32: b"x"})
    assert Findings("sensor").known(["0" * 32]) == {}


def test_a_locked_file_is_read_and_not_waited_for_without_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "PATIENCE", 0.05)
    Findings("sensor").keep({"0" * 32: b"x"})
    other = sqlite3.connect(home / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    Findings("sensor").keep({"1" * 32: b"y"})
    assert Findings("sensor").known(["0" * 32, "1" * 32]) == {"0" * 32: b"x"}
    other.close()


def test_several_processes_keep_at_the_same_time(home: Path) -> None:
    code = (
        "import sys; from lighten.store.findings import Findings\n"
        "for at in range(20): Findings('sensor').keep({f'{int(sys.argv[1]) * 1000 + at:032x}': b'v'})"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(number)]) for number in range(4)]
    assert [one.wait(60) for one in started] == [0] * 4
    wanted = [f"{number * 1000 + at:032x}" for number in range(4) for at in range(20)]
    assert len(Findings("sensor").known(wanted)) == 80
