"""The search: stock candidates, engine settings, then architectures, until time or candidates are spent."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from lighten.core.matching import opens_baselines_only
from lighten.core.step import Step
from lighten.search import proposals
from lighten.search.architectures import Architectures
from lighten.search.attempts import Attempts
from lighten.search.context import Run
from lighten.search.near_misses import meet_what_is_missed
from lighten.search.planning import Planning
from lighten.search.proposals import Architecture
from lighten.search.serving import serve_the_best
from lighten.search.stock import not_convertible

STOCK_SHARE = 0.35
"""Share of the time after which no more engine settings are tried on the original."""
WORTHWHILE = 4
"""Candidates that a time has room for at the least which is proposed in place of one that had room for none."""
MOST_REPEATS = 8
"""How often in a row the sampler may ask what is idle before it counts as done."""


class Search:
    """One search over one space. Every decision follows from the study, so that it can be killed and resumed."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.attempts = Attempts(run, Planning(run))
        self.board, self.variants = self.attempts.board, self.attempts.variants

    def go(self) -> None:
        """Search until time or candidates are spent, or nothing is left to try."""
        run, attempts = self.run, self.attempts
        run.listener.phase("stock", run.clock.left)
        run.notes += [
            f"{name} was left out: it would take more than {proposals.LEARNED:.0%} of the time."
            for name in self.left_out()
        ]
        run.notes += not_convertible(attempts.space)
        for variant in self.variants.stock():
            attempts.attempt(Architecture(), variant, "stock")
        for variant in self.variants.tuned():
            if run.clock.seconds is None or run.clock.spent < STOCK_SHARE * run.clock.seconds:
                attempts.attempt(Architecture(), variant)
        exact = self._exact()
        for variant in self.variants.best()[:1] if exact else []:
            attempts.attempt(Architecture(exact), variant)
        run.listener.phase("search", run.clock.left)
        Architectures(attempts).go(proposals.architectures(attempts.space, exact))
        self._tell_untried()
        meet_what_is_missed(attempts)
        if run.task.priors.slow_answers and not attempts.spent():
            serve_the_best(attempts)
        self._sample()
        meet_what_is_missed(attempts)

    def left_out(self) -> list[str]:
        """Names of the steps that would take too long to learn."""
        return proposals.left_out(self.attempts.space.variants, self.variants.affordable())

    def _tell_untried(self) -> None:
        """Say so where the time was over before anything but the stock candidates was tried."""
        clock, reserve, done = self.run.clock, self.attempts.reserve, self.board.done.values()
        if (
            clock.seconds is None
            or clock.left > self.attempts.kept()
            or {one.role for one in done} != {"original", "stock"}
        ):
            return  # where not even those were tried, the conclusion says why
        wanted = clock.spent + reserve + WORTHWHILE * self.attempts.planning.variant()
        self.run.notes.append(
            "Nothing was tried but what a user could pick anyway: of the time "
            f"{max(clock.left, 0.0) / 60:.1f} min were left, and the proof needs about {reserve / 60:.1f} min of it. "
            f"--time {ceil(wanted / 60)}m has room for more."
        )
        self.run.listener.note(self.run.notes[-1])

    def _exact(self) -> tuple[Step, ...]:
        """Exact steps, where the budget asks for what they save: bytes. Words unseen in training cost quality."""
        asked = {self.run.budget.minimize, *(c.metric for c in self.run.budget.under)}
        return proposals.exact_steps(self.attempts.space) if asked & {"memory", "size", "load"} else ()

    def _sample(self) -> None:
        """Explore what bisection left open with Optuna's sampler, until it only repeats itself."""
        attempts, repeats = self.attempts, 0
        while not attempts.spent(reserve=attempts.kept()) and repeats < MOST_REPEATS and attempts.space.reshaping:
            number, point = attempts.trials.ask()
            architecture, variant = proposals.from_parameters(attempts.space, self.variants.every, point)
            epochs = attempts.epochs_for(architecture) if architecture.reshaping else None
            idle = not any(replace(variant, engine=d.engine) == d for d in self.variants.affordable()) or (
                bool(architecture.reshaping) and opens_baselines_only(variant.engine)  # it takes nothing of a model
            )
            if idle or epochs == 0 or attempts.known(architecture, variant):
                attempts.trials.tell(number, None, None, [])
                repeats += 1
                continue
            repeats = 0
            attempts.evaluate(number, replace(architecture, epochs=epochs), variant, "search")
