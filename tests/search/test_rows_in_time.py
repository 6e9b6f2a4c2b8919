"""A slow original is asked fewer rows, as many as the floors want; which ones, neither clock nor answers decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lighten.core.rows import Rows
from lighten.search import rows_in_time
from lighten.search.rows_in_time import KEPT, can_prove, drawn, use_rows_in_time

ROWS = 5000


class Session:
    """A session that takes ``seconds`` for a row, by a clock of its own."""

    def __init__(self, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds, self.now, self.asked = seconds, 0.0, list[int]()
        monkeypatch.setattr(rows_in_time.time, "monotonic", lambda: self.now)

    def answers(self, inputs: Sequence[Any]) -> Any:
        """Take the time."""
        self.now += self.seconds * len(inputs)
        self.asked.append(len(inputs))
        return np.zeros((len(inputs), 2))


def rows(count: int) -> Rows:
    return Rows(tuple(map(str, range(count))), tuple(n % 2 for n in range(count)))


@pytest.fixture
def run(measured: Any) -> Any:
    """A run of ten minutes with 5,000 rows in each part."""
    made = measured({0: (100.0, 0), 1: (50.0, 0)}, keep="accuracy>=-3pt", seconds=600.0)
    made.parts = rows_in_time.replace(made.parts, select=rows(ROWS), proof=rows(ROWS))
    made.options = rows_in_time.replace(made.options, seconds=600.0)
    said: list[str] = []
    made.listener = type("Heard", (), {"note": staticmethod(said.append)})
    made.said = said
    return made


def test_a_fast_original_is_asked_everything(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(0.001, monkeypatch)
    use_rows_in_time(run, session)  # type: ignore[arg-type]
    assert (len(run.parts.select), len(run.parts.proof)) == (ROWS, ROWS)
    assert run.said == run.notes == []
    assert session.asked[:3] == [1, 4, 16] and session.asked[-1] == ROWS  # a hundredth of 600 s is 6,000 of its rows


def test_what_only_the_first_answer_takes_tells_nothing_of_a_row(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(0.001, monkeypatch)
    answers = session.answers

    def first(inputs: Sequence[Any]) -> Any:
        session.now += 0.0 if session.asked else 30.0
        return answers(inputs)

    monkeypatch.setattr(session, "answers", first)
    use_rows_in_time(run, session)  # type: ignore[arg-type]
    assert run.said == []


def test_a_slow_one_is_asked_what_there_is_time_for(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use_rows_in_time(run, Session(0.1, monkeypatch))  # type: ignore[arg-type]
    assert len(run.parts.select) == 600  # a tenth of 600 s
    proof = len(run.parts.proof)
    assert 1120 <= proof <= 1130  # 0.3 of 600 s, in 1.6 times 0.1 s
    (said,) = run.said
    assert "0.1 s for a row" in said
    assert f"600 of 5,000 rows of select and {proof:,} of 5,000 rows of proof" in said
    assert "--time 84m" in said  # 5,000 rows of select in a tenth of it
    assert run.notes == run.said
    assert "The floors want" not in said


def test_as_many_rows_are_kept_as_the_floor_wants(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    every = run.parts.proof
    use_rows_in_time(run, Session(10.0, monkeypatch))  # type: ignore[arg-type]
    assert rows_in_time.LEAST["proof"] < len(run.parts.proof) < ROWS
    assert "The floors want as many for the proof, which takes about" in run.said[0]
    assert can_prove(run, run.parts.proof, every)
    assert not can_prove(run, drawn(every, len(run.parts.proof) // 2, 0), every)


def test_a_resumed_run_uses_the_same_rows_without_asking(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run.parts
    use_rows_in_time(run, Session(0.1, monkeypatch))  # type: ignore[arg-type]
    chosen, run.parts = run.parts, before
    use_rows_in_time(run)
    assert run.parts == chosen
    assert len(run.said) == 1


def test_nothing_is_left_out_where_no_time_was_asked(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run.clock.seconds = None
    use_rows_in_time(run, Session(10.0, monkeypatch))  # type: ignore[arg-type]
    assert len(run.parts.proof) == ROWS
    assert run.folder.study.recall(KEPT) is None


def test_rows_are_drawn_from_everywhere_and_keep_their_order() -> None:
    some = drawn(rows(1000), 100, 3)
    numbers = [int(one) for one in some.inputs]
    assert numbers == sorted(numbers) and numbers[-1] > 900
    assert drawn(rows(1000), 100, 3) == some != drawn(rows(1000), 100, 4)
    assert drawn(rows(5), 9, 0) == rows(5)
