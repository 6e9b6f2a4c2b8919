"""The search: stock candidates, then engine settings, then bodies with recovery, until time or candidates are spent."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.matching import opens_baselines_only
from lighten.core.step import Step
from lighten.search import proposals
from lighten.search.attempts import Attempts
from lighten.search.bodies import Bodies
from lighten.search.context import Run
from lighten.search.near_misses import meet_what_is_missed
from lighten.search.planning import Planning
from lighten.search.proposals import Body
from lighten.search.serving import serve_the_best
from lighten.search.stock import not_convertible

STOCK_SHARE = 0.35
"""Share of the time after which no more engine settings are tried on the original."""
MOST_REPEATS = 8
"""How often in a row the sampler may ask what is idle before it counts as done."""


class Search:
    """One search over one space. Every decision follows from the study, so that it can be killed and resumed."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.attempts = Attempts(run, Planning(run))
        self.board, self.dressings = self.attempts.board, self.attempts.dressings

    def go(self) -> None:
        """Search until time or candidates are spent, or nothing is left to try."""
        run, attempts = self.run, self.attempts
        run.listener.phase("stock", run.clock.left)
        run.notes += [
            f"{name} was left out: it would take more than {proposals.LEARNED:.0%} of the time."
            for name in self.left_out()
        ]
        run.notes += not_convertible(attempts.space)
        for dressing in self.dressings.stock():
            attempts.attempt(Body(), dressing, "stock")
        for dressing in self.dressings.tuned():
            if run.clock.seconds is None or run.clock.spent < STOCK_SHARE * run.clock.seconds:
                attempts.attempt(Body(), dressing)
        exact = self._exact()
        for dressing in self.dressings.kept("kept dressings")[:1] if exact else []:
            attempts.attempt(Body(exact), dressing)
        run.listener.phase("search", run.clock.left)
        Bodies(attempts).go(proposals.bodies(attempts.space, exact))
        meet_what_is_missed(attempts)
        if run.task.priors.slow_answers and not attempts.spent():
            serve_the_best(attempts)
        self._sample()
        meet_what_is_missed(attempts)

    def left_out(self) -> list[str]:
        """Names of the steps that would take too long to learn."""
        return proposals.left_out(self.attempts.space.dressings, self.dressings.affordable())

    def _exact(self) -> tuple[Step, ...]:
        """Exact steps, where the budget asks for what they save: bytes. Words unseen in training cost quality."""
        asked = {self.run.budget.minimize, *(c.metric for c in self.run.budget.under)}
        return proposals.exact_steps(self.attempts.space) if asked & {"memory", "size", "load"} else ()

    def _sample(self) -> None:
        """Explore what bisection left open with Optuna's sampler, until it only repeats itself."""
        attempts, repeats = self.attempts, 0
        while not attempts.spent() and repeats < MOST_REPEATS and attempts.space.reshaping:
            number, point = attempts.trials.ask()
            body, dressing = proposals.from_parameters(attempts.space, self.dressings.every, point)
            epochs = attempts.epochs_for(body) if body.reshaping else None
            idle = not any(replace(dressing, engine=d.engine) == d for d in self.dressings.affordable()) or (
                bool(body.reshaping) and opens_baselines_only(dressing.engine)  # it takes nothing of a model
            )
            if idle or epochs == 0 or attempts.known(body, dressing):
                attempts.trials.tell(number, None, None, [])
                repeats += 1
                continue
            repeats = 0
            attempts.evaluate(number, replace(body, epochs=epochs), dressing, "search")
