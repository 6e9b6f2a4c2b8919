"""A candidate is asked of the study, made, measured and told; a killed run loses nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lighten.search.attempts import Attempts
from lighten.search.evaluate import evaluate
from lighten.search.planning import Planning
from lighten.search.proposals import Architecture, parameters
from lighten.testing.stage import Act, Stage


def test_attempts_are_kept_told_and_taken_up_again(stage: Callable[..., Stage]) -> None:
    made = stage(Act(100.0), Act(50.0))
    with made.open() as run:
        evaluate(run, 0, (), Stage.ORIGINAL, "original")
        attempts = Attempts(run, Planning(run))
        first = next(d for d in attempts.variants.every if getattr(d.engine, "act", 0) == 1)
        assert attempts.attempt(Architecture(), first)
        assert attempts.known(Architecture(), first)
        thrifty = replace(first, engine=replace(first.engine, thrift=3))
        assert attempts.attempt(Architecture(), thrifty)  # a setting outside the sampler's space
        assert attempts.board.done[2].value("toll") == 35.0
        architecture, variant = attempts.made_from(2)
        assert (architecture.reshaping, variant) == ((), thrifty)
        tried = len(attempts.board.done)
        assert attempts.attempt(Architecture(), thrifty)
        assert len(attempts.board.done) == tried  # measured once
        # Killed between asking and measuring: once at a new point, once at a point that is known.
        other = next(d for d in attempts.variants.every if getattr(d.engine, "act", 0) == 2)
        attempts.trials.ask(parameters(attempts.space, Architecture(), other))
        attempts.trials.ask(parameters(attempts.space, Architecture(), first))
    with made.open() as run:
        again = Attempts(run, Planning(run))
        assert again.trials.unfinished() == []
        assert [c.state for c in again.board.done.values()] == ["ok", "ok", "ok", "failed"]
        assert "There is no such part" in again.board.done[3].reason


def test_time_and_number_bound_them(stage: Callable[..., Stage]) -> None:
    with stage(Act(100.0), Act(50.0)).open(candidates=1, seconds=1000.0) as run:
        evaluate(run, 0, (), Stage.ORIGINAL, "original")
        attempts = Attempts(run, Planning(run))
        assert not attempts.spent()
        assert attempts.spent(reserve=1001.0)
        one, two = attempts.variants.every[1:3]
        assert attempts.attempt(Architecture(), one)
        assert attempts.spent()
        assert not attempts.attempt(Architecture(), two)


def test_none_is_begun_that_takes_from_the_proof_once_there_is_something_to_prove(stage: Callable[..., Stage]) -> None:
    with stage(Act(100.0), Act(120.0, wrong=0.5), Act(50.0), Act(20.0)).open(seconds=1000.0) as run:
        evaluate(run, 0, (), Stage.ORIGINAL, "original")
        attempts = Attempts(run, Planning(run))
        bad, good, late = attempts.variants.every[1:4]
        assert attempts.attempt(Architecture(), bad)
        assert attempts.planning.expected() > 0 and attempts.kept() == attempts.reserve
        assert attempts.attempt(Architecture(), good)
        assert attempts.kept() == attempts.reserve + attempts.planning.expected()
        run.clock.seconds = run.clock.spent + attempts.reserve + attempts.planning.expected() / 2
        assert not attempts.attempt(Architecture(), late)
