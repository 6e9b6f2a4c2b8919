"""A session in a process of its own: whatever it does, the parent gets a typed failure and goes on."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import (
    BuildFailed,
    CandidateFailed,
    InputError,
    OutOfMemory,
    SessionCrashed,
    SessionTimeout,
    UnsafeFile,
)
from lighten.core.meter import Workload
from lighten.engines.numpy import NumPy
from lighten.nets.baselines.counts import fit_ngram
from lighten.sessions.process import SessionProcess
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration

Make = Callable[..., SessionProcess]
TEXTS = ("a", "bb", "ccc")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_answers_come_back_in_order_as_float32(session_of: Make) -> None:
    with session_of() as session:
        answers = session.run(TEXTS)
        pid = session.child.pid
        assert session.load_seconds > 0 and session.version == "fake 1.0"
    assert answers.dtype == np.float32 and answers.argmax(axis=1).tolist() == [1, 0, 1]
    assert not is_running(pid)
    session.close()


def test_predictions_are_worked_out_in_the_child(session_of: Make) -> None:
    labels = ("even", "odd")
    with session_of(task=TextClassification()) as session:
        found = session.predict(TEXTS, labels)
        assert [one.label for one in found] == ["odd", "even", "odd"]
        assert found[0].scores["odd"] == pytest.approx(0.731, abs=1e-3) and session.predict([], labels) == []
    with session_of() as session, pytest.raises(SessionCrashed, match="no task asks"):
        session.predict(TEXTS, labels)
    with (
        session_of(task=TextClassification(), fault="nan") as session,
        pytest.raises(BuildFailed, match="1 of 3 inputs hold NaN"),
    ):
        session.predict(TEXTS, labels)


def test_a_process_that_ended_by_itself_is_seen_without_asking(session_of: Make) -> None:
    session = session_of()
    assert session.child.gone
    with session:
        assert not session.child.gone and len(session.run(TEXTS)) == 3
        os.kill(session.child.pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while not session.child.gone and time.monotonic() < until:
            time.sleep(0.01)
        assert session.child.gone
    assert session.child.gone


def test_any_text_survives_the_way(session_of: Make) -> None:
    texts = ("", "\n\0\u2028 \ud800", "🙂" * 1000, '{"op": "close"}', "x" * 2_000_000)
    with session_of() as session:
        assert session.run(texts).argmax(axis=1).tolist() == [len(t) % 2 for t in texts]


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("segv", SessionCrashed, "SIGSEGV"),
        ("abort", SessionCrashed, r"SIGABRT.*the fake gave up"),
        ("kill", SessionCrashed, "SIGKILL"),
        ("exit", SessionCrashed, r"exit code 3 .*the fake leaves"),
        ("raise", SessionCrashed, "RuntimeError: the fake raised"),
        ("refuse", BuildFailed, "The fake refuses this model"),
        ("memory", OutOfMemory, "MemoryError"),
        ("bad_alloc", OutOfMemory, "bad_alloc"),
        ("nan", BuildFailed, "1 of 3 inputs hold NaN"),
        ("shape", BuildFailed, r"3 inputs with an array of shape \(2, 2\)"),
    ],
)
def test_a_fault_while_answering_is_typed(
    session_of: Make, fault: str, kind: type[CandidateFailed], reason: str
) -> None:
    with session_of() as healthy, session_of(fault=fault, after=1) as session:
        session.run(TEXTS)
        pid = session.child.pid
        with pytest.raises(kind, match=reason) as failure:
            session.run(TEXTS)
        assert failure.type is kind
        session.close()
        assert not is_running(pid)
        assert healthy.run(TEXTS).shape == (3, 2)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("segv", SessionCrashed), ("raise", BuildFailed), ("memory", OutOfMemory), ("hang", SessionTimeout)],
)
def test_a_fault_while_opening_leaves_no_process(
    session_of: Make, monkeypatch: pytest.MonkeyPatch, fault: str, kind: type[CandidateFailed]
) -> None:
    session = session_of(fault=fault, at="open", deadline=2.0)
    pids: list[int] = []
    start = session.child.start
    monkeypatch.setattr(session.child, "start", lambda: (start(), pids.append(session.child.pid)))
    with pytest.raises(kind), session:
        raise AssertionError("it opened")
    assert pids and not is_running(pids[0])


def test_a_hang_ends_at_its_deadline(session_of: Make) -> None:
    with session_of(fault="hang", after=1, deadline=1.0) as session:
        session.run(TEXTS)
        pid = session.child.pid
        with pytest.raises(SessionTimeout, match=r"did not answer within [\d.]+ s while it answered"):
            session.run(TEXTS)
        assert not is_running(pid)


def test_a_leak_ends_before_the_machine_does(session_of: Make) -> None:
    with (
        session_of(fault="leak", memory=300_000_000) as session,
        pytest.raises(OutOfMemory, match="more than its 300 MB"),
    ):
        session.run(TEXTS)


@pytest.mark.parametrize("fault", ["noise", "close_stdout"])
def test_what_libraries_print_disturbs_nothing(session_of: Make, capfd: pytest.CaptureFixture[str], fault: str) -> None:
    with session_of(fault=fault) as session:
        for _ in range(3):
            assert session.run(TEXTS).argmax(axis=1).tolist() == [1, 0, 1]
    assert capfd.readouterr() == ("", "")


def test_processes_that_a_session_started_end_with_it(session_of: Make) -> None:
    with session_of(fault="spawn") as session:
        grandchild = int(session.run(TEXTS)[0, 0])
        assert is_running(grandchild)
    until = time.monotonic() + 10  # the signal is sent; the kernel may need a moment
    while is_running(grandchild) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_running(grandchild)


def test_a_changed_file_is_not_opened(session_of: Make, artifact: Artifact) -> None:
    (artifact.path / "fake.txt").write_text("something else")
    with pytest.raises(UnsafeFile, match="SHA-256 differs"), session_of():
        raise AssertionError("it opened")


def test_a_turn_alone_is_taken_by_a_process_that_did_nothing_before(session_of: Make) -> None:
    work = Workload(TEXTS, TEXTS)
    with session_of() as new, session_of() as used:
        first, second = new.child.pid, used.child.pid
        used.run(TEXTS * 50)
        for session in (new, used):
            session.load(work)
            peak = session.turn_alone("memory")
            assert peak["rows"] == len(TEXTS) and session.turn_alone("memory") is peak  # asked once
            assert session.run(TEXTS).shape == (len(TEXTS), 2)
        assert new.child.pid == first and used.child.pid != second
        pid = used.child.pid
        used.load(Workload(TEXTS[:1], TEXTS))
        used.turn_alone("memory")
        assert used.child.pid != pid  # another workload, another peak


def test_turns_of_meters_run_inside(session_of: Make, artifact: Artifact) -> None:
    work = Workload(TEXTS, TEXTS)
    with session_of() as session:
        with pytest.raises(SessionCrashed, match="no workload"):
            session.turn("size", 0)
        session.load(work)
        assert session.turn("size", 0) == {"bytes": artifact.size}
        assert session.turn("load", 0)["seconds"] == session.load_seconds
        assert session.turn("throughput", 0)["rows"] == 3


def test_no_descriptor_is_left_open(session_of: Make) -> None:
    with session_of() as session:
        session.run(TEXTS)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for fault in ("", "segv"):
        with session_of(fault=fault) as session:
            try:
                session.run(TEXTS)
            except SessionCrashed:
                continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def counted(folder: Path) -> Artifact:
    folder.mkdir()
    fit_ngram(["the film is good and the day is long"] * 4, 6).save(folder)
    return Artifact.seal(folder, format="byte-lm")


def test_a_language_model_goes_on_with_texts(tmp_path: Path) -> None:
    artifact = counted(tmp_path / "counted")
    for task in (None, TextGeneration()):
        with SessionProcess(artifact, NumPy(), threads=1, task=task, deadline=20.0) as session:
            assert session.replies(["the film is", "and the", "half \ud83c and the"], 8) == [
                " good an",
                " day is ",
                " day is ",
            ]
            assert session.replies([], 8) == []


def test_other_models_go_on_with_nothing_and_still_answer(session_of: Make) -> None:
    with session_of() as session:
        with pytest.raises(InputError, match="goes on with no text"):
            session.replies(["a"])
        assert len(session.run(TEXTS)) == 3
