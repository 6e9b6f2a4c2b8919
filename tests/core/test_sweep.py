"""The record of a search: read back as it was written; the best is one that was trained to its end."""

from __future__ import annotations

import json
from dataclasses import replace

from lighten.core.sweep import STOPPED, SweepRecord, best_of
from lighten.testing.trainings import SWEEP


def test_it_is_read_back_as_it_was_written() -> None:
    assert SweepRecord.from_json(json.loads(json.dumps(SWEEP.to_json()))) == SWEEP
    assert SWEEP.best.number == 4


def test_the_best_was_trained_to_its_end_and_is_the_first_of_equals() -> None:
    first, *_, last = SWEEP.trials
    assert best_of(SWEEP.trials) == last
    assert best_of([first, replace(last, state=STOPPED)]) == first
    assert best_of([first, replace(first, number=2)]) == first
    assert best_of([first, replace(first, number=2, loss=0.4)]) == replace(first, number=2, loss=0.4)
    assert best_of([replace(last, state=STOPPED)]) is None
