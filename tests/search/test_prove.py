"""The order of the proof is fixed once; the first that does not hold ends it; what fails to run is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import SessionCrashed
from lighten.core.result import Candidate
from lighten.search import prove as module
from lighten.search.prove import extend, open_proof, prove

Answered = Callable[..., Any]


@pytest.fixture
def answered(measured: Any, monkeypatch: pytest.MonkeyPatch) -> Answered:
    """``answered({1: rows wrong, ...}, order, others)``: a run that gives these answers on ``proof``; None crashes."""

    def make(wrong: Mapping[int, int | None], order: list[int], others: list[int] | None = None) -> Any:
        run = measured({0: (100.0, 0), **{key: (50.0 - key, 0) for key in wrong}})
        right = np.eye(2, dtype=np.float32)[list(run.parts.proof.targets)]
        run.opened = []
        run.listener = type("Heard", (), {"candidate": lambda self, key, name: run.opened.append(key)})()

        def asked(run: Any, candidate: Candidate) -> Any:
            run.opened.append(f"asked {candidate.key}")
            lost = 0 if candidate.key == 0 else wrong[candidate.key]
            if lost is None:
                raise SessionCrashed("it is gone")
            answers = right.copy()
            answers[:lost] = answers[:lost, ::-1]
            return answers

        monkeypatch.setattr(module, "proof_answers", asked)
        assert open_proof(run, order, others or [])
        return run

    return make


def test_all_that_hold_are_proved_and_the_first_that_does_not_ends_it(answered: Answered) -> None:
    run = answered({1: 0, 2: 3, 3: 400, 4: 0}, [1, 2, 3, 4])
    proof = prove(run)
    assert proof.sequence.held == (1, 2)
    assert [one.key for one in proof.sequence.tested] == [1, 2, 3]
    assert not proof.is_open
    assert "asked 4" not in run.opened


def test_the_order_that_was_fixed_first_stays(answered: Answered) -> None:
    run = answered({1: 0, 2: 3}, [2, 1])
    assert open_proof(run, [1, 2], [])
    assert [one.key for one in prove(run).sequence.tested] == [2, 1]


def test_there_is_nothing_to_open_without_a_finalist(measured: Any) -> None:
    run = measured({0: (100.0, 0)})
    assert not open_proof(run, [], [3])
    assert run.folder.study.recall("proof opened") is None


def test_what_fails_is_asked_again_and_then_left_out_as_though_it_had_not_been_in_the_order(answered: Answered) -> None:
    run = answered({1: 0, 2: None, 3: 3}, [1, 2, 3])
    proof = prove(run)
    assert proof.sequence.held == (1, 3)
    assert run.opened.count("asked 2") == 2
    assert proof.failed == {2: "SessionCrashed: it is gone"}
    assert any(note.startswith("Candidate 2") for note in run.notes)
    before = len(run.opened)
    assert prove(run).sequence.held == (1, 3)  # a resumed run decides the same and does not ask it again
    assert "asked 2" not in run.opened[before:]


def test_while_all_hold_it_goes_on_with_the_others_in_their_order(answered: Answered) -> None:
    run = answered({1: 0, 2: 3, 3: 400}, [1], [2, 3])
    assert prove(run).others == (2, 3)
    extend(run, 2)
    proof = prove(run)
    assert (proof.sequence.held, proof.others, proof.is_open) == ((1, 2), (3,), True)
    extend(run, 3)
    proof = prove(run)
    assert (proof.sequence.held, proof.others, proof.is_open) == ((1, 2), (), False)


def test_an_original_that_fails_is_an_error_that_the_run_can_report(
    answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = answered({1: 0}, [1])

    def gone(run: Any, candidate: Candidate) -> Any:
        raise SessionCrashed("the original is gone")

    monkeypatch.setattr(module, "proof_answers", gone)
    with pytest.raises(SessionCrashed, match="the original is gone"):
        prove(run)
    assert run.folder.study.recall("proof opened") == [1]  # the order stays for when it is taken up again
