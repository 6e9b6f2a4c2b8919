"""The study remembers what was told, exactly, also after kill -9."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import RunFolderError
from lighten.core.result import LOWER, Candidate, Result
from lighten.store.study import Study

RESULT = Result("a" * 64, "ort", "cpu", "p50", 3.5, "ms", LOWER, 200, 0.1, ratio=2.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def test_candidates_come_back_the_same_and_in_order(path: Path) -> None:
    study = Study(path)
    first = Candidate(0, "as it is @ eager", (), "eager", role="original")
    tenth = Candidate(10, "é 😀 \ud800", ({"use": "prune.layers", "keep": 0.5},), "ort", {"rows": 8}, state="running")
    second = Candidate(2, "x", (), "ov", state="failed", reason="SessionCrashed: signal 11")
    for one in (tenth, first, second):
        study.save(one)
    done = Candidate(10, tenth.name, tenth.recipe, "ort", {"rows": 8}, "ok", "", "id", {"p50": RESULT}, seconds=3.25)
    study.save(done)
    assert study.candidates() == [first, second, done]
    study.close()
    assert Study(path).candidates() == [first, second, done]


def test_answers_come_back_to_the_last_bit(path: Path) -> None:
    study = Study(path)
    logits = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    study.save_answers(4, "select", logits[:, ::-1])
    study.save_answers(4, "proof", logits.astype(np.float64))
    found = Study(path).answers(4, "select")
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, logits[:, ::-1])
    np.testing.assert_array_equal(study.answers(4, "proof"), logits)
    assert study.answers(4, "train") is None
    assert study.answers(5, "select") is None
    study.save_answers(4, "select", logits[:2])
    np.testing.assert_array_equal(study.answers(4, "select"), logits[:2])


def test_facts(path: Path) -> None:
    study = Study(path)
    assert study.recall("spent") is None
    assert study.recall("spent", 0.0) == 0.0
    for value in (None, 0, 1.5, "é", [1, [2, "x"]], {"a": None}):
        study.remember("spent", value)
        assert Study(path).recall("spent", "nothing") == value


def test_a_file_that_is_no_study_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"my holiday pictures" * 100)
    with pytest.raises(RunFolderError, match="cannot be used as a study"):
        Study(path)
    assert path.read_bytes() == b"my holiday pictures" * 100


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        Study(tmp_path / "nowhere" / "study.db")


def test_a_reader_does_not_wait_for_the_writer(path: Path) -> None:
    study = Study(path)
    study.remember("a", 1)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT OR REPLACE INTO fact VALUES ('a', '2')")
    assert study.recall("a") == 1
    writer.execute("COMMIT")
    assert study.recall("a") == 2
    writer.close()


def test_a_full_disk_is_an_error_to_read(path: Path) -> None:
    study = Study(path)
    study.remember("a", 1)
    study._db.execute("PRAGMA max_page_count = 16")
    with pytest.raises(RunFolderError, match="full") as caught:
        study.save_answers(1, "select", np.zeros((1000, 100)))
    assert "--resume" in caught.value.fix
    assert study.recall("a") == 1
    assert study.answers(1, "select") is None


WRITER = """
import sys
import numpy as np
from pathlib import Path
from lighten.core.result import Candidate
from lighten.store.study import Study

study = Study(Path(sys.argv[1]))
key = 0
while True:
    study.save_answers(key, "select", np.full((50, 3), key))
    study.save(Candidate(key, f"c{key}", (), "ort", state="ok"))
    study.remember("last", key)
    print(key, flush=True)
    key += 1
"""


def test_kill_9_loses_nothing_that_was_told(path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(25)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    told = int(lines[-1])
    study = Study(path)
    found = study.candidates()
    assert [c.key for c in found] == list(range(len(found)))
    assert len(found) - 1 in (told, told + 1)
    assert study.recall("last") in (told, told + 1)
    for key in (0, told // 2, told):
        answers = study.answers(key, "select")
        assert answers is not None
        assert (answers == key).all()
    (state,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
    assert state == "ok"
    study.save(Candidate(told + 9, "after", (), "ort"))
    assert study.candidates()[-1].name == "after"
