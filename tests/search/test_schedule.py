"""How long things take follows from what was measured, and what is kept back for the proof from its rows."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.result import Candidate
from lighten.core.space import Space
from lighten.search import proposals
from lighten.search.schedule import (
    SLOW,
    TOGETHER,
    TRAINING_COSTS,
    epochs_that_fit,
    proof_seconds,
    reserve_for_proof,
    takes,
    training_seconds,
)

ORIGINAL = Candidate(0, "as it is", (), "floaty", state="ok", seconds=100.0)


@pytest.fixture
def run(measured: Any) -> Any:
    """A run whose original answers a row in 0.1 s, candidate 1 in 0.02 s."""
    made = measured({0: (100.0, 0), 1: (50.0, 0)}, seconds=600.0, left=500.0)
    made.folder.study.remember("seconds a row of 0", 0.1)
    made.folder.study.remember("seconds a row of 1", 0.02)
    made.options = replace(made.options, seconds=600.0)
    return made


def test_the_proof_takes_what_its_candidates_took_a_row(run: Any) -> None:
    rows = len(run.parts.proof)
    one = replace(ORIGINAL, key=1)
    assert proof_seconds(run, ORIGINAL, [one]) == pytest.approx(rows * 0.12 + TOGETHER)
    assert proof_seconds(run, ORIGINAL, []) < proof_seconds(run, ORIGINAL, [one]) < reserve_for_proof(run, ORIGINAL)


def test_no_more_than_half_of_the_time_is_kept_back(run: Any) -> None:
    run.options = replace(run.options, seconds=100.0)
    assert reserve_for_proof(run, ORIGINAL) == 50.0
    run.options = replace(run.options, seconds=None)
    assert reserve_for_proof(run, ORIGINAL) == pytest.approx(len(run.parts.proof) * 0.16 + TOGETHER)


def test_a_slow_original_makes_nothing_slower_for_ever() -> None:
    assert takes(ORIGINAL, (60.0, 0.4)) == 100.0
    assert takes(replace(ORIGINAL, seconds=10 * SLOW), (60.0, 0.4)) == 60.0 + 0.4 * SLOW


@pytest.mark.usefixtures("fakes")
def test_epochs_are_what_fits_into_the_time_left(run: Any) -> None:
    space = Space.compose("hf", tuple(catalog.load("engines", name)() for name in ("floaty", "toy")), {})
    body = next(b for b in proposals.bodies(space) if b.share == pytest.approx(0.5))

    def fit(left: float) -> float | None:
        run.clock.left = left
        return epochs_that_fit(run, space, ORIGINAL, body, reserve=100.0, dressings=2)

    each = TRAINING_COSTS * 0.1 * len(run.parts.train) * (0.3 + 0.7 * 0.5)
    assert fit(140.0 + 0.9 * each) == 0
    assert fit(140.0 + 2.1 * each) == 2
    assert fit(140.0 + 3.1 * each) is None  # the step's own number
    run.folder.study.remember("seconds per epoch and share", [[2 * each, 0.5]])
    assert fit(140.0 + 2.1 * each) == 1  # a first body has shown that it takes longer
    run.clock = SimpleNamespace(seconds=None, left=float("inf"))
    assert epochs_that_fit(run, space, ORIGINAL, body, reserve=0.0, dressings=2) is None


def test_all_the_seconds_of_a_classifier_are_its_training(run: Any) -> None:
    assert training_seconds(run, ORIGINAL, replace(ORIGINAL, seconds=80.0)) == 80.0
    run.task = SimpleNamespace(language=True)
    assert training_seconds(run, ORIGINAL, replace(ORIGINAL, seconds=300.0)) == 200.0
    assert training_seconds(run, ORIGINAL, replace(ORIGINAL, seconds=120.0)) == 60.0
