"""How long things take follows from what was measured; a machine that differs from the priors changes the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.recipe import record_of
from lighten.core.result import Candidate
from lighten.core.space import Space
from lighten.pipeline.workshop import Work
from lighten.search import proposals
from lighten.search.context import A_ROW, MEASURING
from lighten.search.planning import SLOW, TOGETHER, UNSHRUNK, Planning, Spent, spent_on
from lighten.search.proposals import Architecture
from lighten.tasks.text_generation import READ, TextGeneration

LEFT = 500.0
USUAL = 3.0
"""Epochs that the step which trains back has of itself."""


@pytest.fixture
def run(measured: Any) -> Any:
    """A run whose original took 100 s and answers a row in 0.1 s, candidate 1 in 0.02 s."""
    made = measured({0: (100.0, 0), 1: (50.0, 0), 2: (40.0, 0)}, seconds=600.0, left=LEFT)
    study = made.folder.study
    study.save(replace(study.candidates()[0], seconds=100.0))
    study.remember("seconds a row of 0", 0.1)
    study.remember("seconds a row of 1", 0.02)
    made.options = replace(made.options, seconds=600.0)
    return made


@pytest.fixture
def writing(run: Any) -> Any:
    """The same run of a language model on documents."""
    run.task = TextGeneration()
    return run


def architecture(share: float, *, wants_recovery: bool = True) -> Any:
    return SimpleNamespace(share=share, wants_recovery=wants_recovery)


def variants(*engines: str) -> Any:
    return [SimpleNamespace(engine=catalog.load("engines", name)()) for name in engines]


def test_the_proof_takes_what_its_candidates_took_a_row(run: Any) -> None:
    rows, planning = len(run.parts.proof), Planning(run)
    one = Candidate(1, "one", (), "stage")
    assert planning.proof_of([one]) == pytest.approx(rows * 0.12 + TOGETHER)
    assert planning.proof_of([one]) - planning.proof_of([]) == pytest.approx(planning.proving(1))
    assert planning.proof_of([one]) < planning.reserve_for_proof()


def test_what_is_kept_back_follows_from_what_candidates_took(run: Any) -> None:
    run.options = replace(run.options, seconds=None)
    rows, study, planning = len(run.parts.proof), run.folder.study, Planning(run)
    prior = planning.reserve_for_proof()
    for key, seconds in ((5, 0.5), (6, 0.7), (7, 0.9)):
        study.save(Candidate(key, f"made {key}", (), "stage", state="ok"))
        planning.learn(key, Spent("stage", variant=20.0))
        study.remember(A_ROW.format(key), seconds)
    study.save(Candidate(8, "from nothing", (), "numpy", state="ok"))
    planning.learn(8, Spent("numpy"))
    study.remember(A_ROW.format(8), 900.0)
    assert planning.reserve_for_proof() > prior
    assert planning.reserve_for_proof() == pytest.approx(planning.proving(0) + 0.7 * rows + TOGETHER)
    for key, seconds in ((5, 65.0), (6, 70.0), (7, 75.0)):
        study.remember(MEASURING.format(key), seconds)
    assert planning.reserve_for_proof() == pytest.approx(planning.proving(0) + 0.7 * rows + 2 * 70.0)
    assert planning.proof_of([]) == pytest.approx(planning.proving(0) + 2 * 70.0)


def test_another_candidate_is_expected_to_take_what_others_took(run: Any) -> None:
    planning = Planning(run)
    assert planning.expected() == 0.0
    planning.learn(0, Spent("stage", variant=33.0))
    assert planning.expected() == planning.variant() > 0


def test_a_late_proof_wants_the_room_that_the_search_keeps_for_one(run: Any) -> None:
    planning = Planning(run)
    needed = planning.reserve_for_proof() - planning.together() / 2
    run.clock.left = needed + 1.0
    assert planning.has_room_for_proof()
    run.clock.left = needed - 1.0
    assert not planning.has_room_for_proof()


def test_no_more_than_half_of_the_time_is_kept_back(run: Any) -> None:
    run.options = replace(run.options, seconds=100.0)
    assert Planning(run).reserve_for_proof() == 50.0
    run.options = replace(run.options, seconds=None)
    assert Planning(run).reserve_for_proof() == pytest.approx(len(run.parts.proof) * 0.16 + TOGETHER)


def test_a_slow_original_makes_nothing_slower_for_ever(writing: Any) -> None:
    planning, study = Planning(writing), writing.folder.study
    assert planning.variant() == 60.0 + 0.4 * 100.0
    assert planning.settling() == 2 * planning.settings(0) == 40.0 + 0.5 * 100.0
    study.save(replace(study.candidates()[0], seconds=10 * SLOW))
    assert planning.variant() == 60.0 + 0.4 * SLOW


def test_a_variant_takes_what_those_before_it_took_those_of_its_engine_first(run: Any) -> None:
    planning = Planning(run)
    assert planning.variant() == run.task.priors.variant.fixed
    planning.learn(1, Spent("stage", variant=50.0))
    assert planning.variant("other") == 50.0  # the machine is slower than the prior says
    planning.learn(2, Spent("other", variant=70.0))
    assert planning.variant("other") == 70.0
    assert planning.variant("stage") == 50.0
    assert planning.variant() == 60.0


def test_passes_are_what_fits_into_the_time_left(run: Any) -> None:
    planning = Planning(run)
    each = run.task.priors.learning * 0.1 * len(run.parts.train) * (UNSHRUNK + (1 - UNSHRUNK) * 0.5)
    after = 2 * run.task.priors.variant.fixed

    def fit(passes: float) -> float | None:
        run.clock.left = 100.0 + after + passes * each
        return planning.passes_for(architecture(0.5), USUAL, variants("ort", "ov"), reserve=100.0)

    assert [fit(0.9), fit(2.1), fit(3.1)] == [0, 2, None]  # None: the step's own number
    run.clock = SimpleNamespace(seconds=None, left=float("inf"))
    assert fit(0.0) is None


def test_a_machine_twice_as_slow_as_its_priors_is_given_half_the_passes(run: Any) -> None:
    planning, (own,) = Planning(run), variants("ort")
    prior = planning.a_pass(1.0)
    room = 4.2 * prior
    run.clock.left = planning.variant() + room
    assert planning.passes_for(architecture(1.0), 9.0, [own], reserve=0.0) == 4
    planning.learn(1, Spent("stage", learning=2 * prior, passes=1.0, share=1.0))
    assert planning.a_pass(1.0) == pytest.approx(2 * prior)
    assert planning.passes_for(architecture(1.0), 9.0, [own], reserve=0.0) == 2
    planning.learn(2, Spent("ort", variant=planning.variant() + 1.2 * prior))
    assert planning.passes_for(architecture(1.0), 9.0, [own], reserve=0.0) == 1  # measuring takes longer, too
    planning.learn(1, Spent("stage", learning=2 * prior, passes=1.0, making=room))
    assert planning.passes_for(architecture(1.0), 9.0, [own], reserve=0.0) == 0  # and so does making the network


def test_a_quicker_machine_is_given_more(writing: Any) -> None:
    planning = Planning(writing)
    writing.clock.left = planning.variant() + planning.settling() + 0.55 * planning.a_pass(0.5)
    assert planning.passes_for(architecture(0.5), 1.0, variants("llama"), reserve=0.0) == 0.5
    planning.learn(1, Spent("llama", variant=5.0))
    planning.learn(2, Spent("stage", learning=1.0, passes=1.0, share=0.5))
    assert planning.passes_for(architecture(0.5), 1.0, variants("llama"), reserve=0.0) == READ.passes


def test_parts_of_a_pass_count_where_the_task_says_and_too_few_are_none(writing: Any) -> None:
    planning = Planning(writing)
    ready = planning.variant() + planning.settling()
    each = planning.a_pass(0.5)

    def fit(passes: float, *, wants_recovery: bool = True) -> float | None:
        writing.clock.left = ready + (passes + 0.05) * each
        one = architecture(0.5, wants_recovery=wants_recovery)
        return planning.passes_for(one, 1.0, variants("llama"), reserve=0.0)

    assert [fit(0.2), fit(0.3), fit(0.7), fit(5.0)] == [0, 0.3, 0.7, 1.0]
    assert fit(0.2, wants_recovery=False) == 0.2
    assert fit(-3.0) == 0


def test_a_resumed_run_plans_as_the_first_start_would(run: Any) -> None:
    first = Planning(run)
    first.learn(1, Spent("stage", variant=33.0, learning=60.0, passes=2.0, share=0.4))
    again = Planning(run)
    assert (again.variant(), again.a_pass(0.4)) == (33.0, pytest.approx(30.0)) == (first.variant(), first.a_pass(0.4))


def test_what_is_learned_from_nothing_says_nothing_of_a_variant() -> None:
    done = Candidate(4, "four", (), "numpy", state="ok", seconds=100.0)
    step = catalog.load_step("train.ngram")()
    counts: Callable[[], Any] = catalog.load("engines", "numpy")
    variant: Any = SimpleNamespace(steps=(step,), engine=counts())
    assert spent_on(done, Architecture(), variant, (), []).variant is None


@pytest.mark.usefixtures("fakes")
def test_what_a_candidate_took_is_told_apart_by_what_it_was_for() -> None:
    space = Space.compose("hf", tuple(catalog.load("engines", name)() for name in ("floaty", "toy")), {})
    made = next(one for one in proposals.architectures(space) if len(one.reshaping) == 1)
    plain = next(d for d in space.variants if not d.steps)
    (front,), (back,) = ([record_of(s)["use"] for s in steps] for steps in (made.reshaping, _back(made, space)))
    done = Candidate(4, "four", (), "toy", state="ok", seconds=100.0)
    work = [Work(front, 10.0), Work(back, 60.0, reached=0.5), Work("export.other", 5.0)]
    epochs = _back(made, space)[0].epochs
    found = spent_on(done, made, plain, space.recovery, work)
    assert found == Spent("toy", 30.0, making=10.0, learning=60.0, passes=0.5 * epochs, share=made.share)
    known = spent_on(done, made, plain, space.recovery, [])  # the network lay in the store
    assert (known.variant, known.learning, known.passes) == (100.0, 0.0, 0.0)
    failed = spent_on(replace(done, state="failed"), made, plain, space.recovery, work)
    assert (failed.variant, failed.passes) == (None, found.passes)
    shown = spent_on(done, Architecture(), plain, space.recovery, [])
    assert (shown.variant, shown.share) == (100.0, 1.0)


def _back(made: Architecture, space: Space) -> Any:
    return made.recipe(space.recovery)[len(made.reshaping) :]
