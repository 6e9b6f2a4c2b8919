"""Attempts: the study proposes a candidate, it is made and measured, and the study is told. A killed run loses one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lighten.core.recipe import engine_from, record_of
from lighten.core.result import Candidate
from lighten.core.space import Space, Variant
from lighten.search import proposals
from lighten.search.chance import LEAST_CHANCE
from lighten.search.context import Run
from lighten.search.evaluate import evaluate
from lighten.search.leaderboard import Leaderboard
from lighten.search.planning import Planning, spent_on
from lighten.search.proposals import Architecture
from lighten.search.racing import cost, promising
from lighten.search.trials import Trials
from lighten.search.variants import Variants


class Attempts:
    """What one search has tried and may try. Every decision is derived from the study, so that a run can be resumed.

    Args:
        planning: of the run's time.

    Attributes:
        space: everything that can be tried; variants: of it; board: what was measured; trials: where Optuna keeps it.
    """

    def __init__(self, run: Run, planning: Planning) -> None:
        self.run, self.planning = run, planning
        self.board = Leaderboard(run)
        self.space = Space.compose(run.original.format, run.engines, run.facts)
        self.variants = Variants(run, self.space, self.board)
        self.choices = proposals.choices(self.space, self.variants.every)
        self.trials = Trials(run.folder.study.path, self.choices, run.options.seed)
        self._repair()

    def _repair(self) -> None:
        """Finish what a killed run left behind: report what was measured, and measure again what was not."""
        for number, point in self.trials.unfinished():
            if set(point) != set(self.trials.choices):
                self.trials.tell(number, None, None, [])
            elif number + 1 in self.board.done:
                self._tell(self.board.done[number + 1])
            else:
                architecture, variant = self.made_from(number + 1)
                if self.known(architecture, variant):
                    self.trials.tell(number, None, None, [])
                    continue
                stock = not architecture.exact and not architecture.reshaping and variant in self.variants.stock()
                self.evaluate(number, architecture, variant, "stock" if stock else "search")

    @property
    def reserve(self) -> float:
        """Seconds that are kept back for the proof, from what was measured so far."""
        return self.planning.reserve_for_proof()

    def spent(self, *, reserve: float | None = None) -> bool:
        """Whether the time or the number of candidates is used up. reserve: seconds to keep, if not those planned."""
        most, kept = self.run.options.candidates, self.reserve if reserve is None else reserve
        return self.run.clock.left <= kept or (most is not None and len(self.board.done) - 1 >= most)

    def kept(self) -> float:
        """Seconds that must be left for another candidate to be begun: the reserve, and, where there is something to
        prove already, what a candidate takes, so that none takes from the proof."""
        board, budget = self.board, self.run.budget
        hopeful = any(
            promising(one, board.original, budget, board.quantities) and board.chance(one) >= LEAST_CHANCE
            for one in board.done.values()
            if one.key
        )
        return self.reserve + (self.planning.expected() if hopeful else 0.0)

    def epochs_for(self, architecture: Architecture) -> float | None:
        """How many epochs of recovery fit into the time left; see ``Planning.passes_for``."""
        usual = max((float(getattr(cls(), "epochs", 1)) for cls in self.space.recovery), default=1.0)
        return self.planning.passes_for(architecture, usual, self.variants.best(), reserve=self.reserve)

    def name(self, architecture: Architecture, variant: Variant) -> str:
        """Name of the candidate."""
        return proposals.name_of((*architecture.recipe(self.space.recovery), *variant.steps), variant.engine)

    def known(self, architecture: Architecture, variant: Variant) -> bool:
        """Whether it was tried before."""
        name = self.name(architecture, variant)
        return any(c.name == name for c in self.board.done.values())

    def made_from(self, key: int) -> tuple[Architecture, Variant]:
        """The architecture and the variant that a candidate was made from."""
        study = self.run.folder.study
        architecture, variant = proposals.from_parameters(self.space, self.variants.every, self.trials.point(key - 1))
        engine: dict[str, Any] | None = study.recall(f"engine of {key}")
        if engine is not None:
            variant = replace(variant, engine=engine_from(engine))
        return replace(architecture, epochs=study.recall(f"epochs of {key}")), variant

    def attempt(
        self, architecture: Architecture, variant: Variant, role: str = "search", *, reserve: float | None = None
    ) -> bool:
        """Measure a candidate unless it was measured before; False when the budget of trials or time is used up.

        Args:
            variant: one of ``variants``, or one of them with other settings of its engine.
            reserve: seconds to keep back, if not those of :meth:`kept`.
        """
        if self.known(architecture, variant):
            return True
        if self.spent(reserve=self.kept() if reserve is None else reserve):
            return False
        chosen = variant
        if proposals.variant_name(variant) not in self.choices[proposals.VARIANT]:
            # Settings outside the sampler's space stand there for what they were derived from.
            chosen = next(
                d for d in self.variants.every if d.steps == variant.steps and type(d.engine) is type(variant.engine)
            )
        number, _ = self.trials.ask(proposals.parameters(self.space, architecture, chosen))
        if chosen is not variant:
            self.run.folder.study.remember(f"engine of {number + 1}", record_of(variant.engine))
        self.evaluate(number, architecture, variant, role)
        return True

    def evaluate(self, number: int, architecture: Architecture, variant: Variant, role: str) -> None:
        """Make and measure the candidate that a trial proposes, and report the result to the study."""
        study = self.run.folder.study
        study.remember(f"epochs of {number + 1}", architecture.epochs)
        if architecture.reshaping:
            self.board.remember_architecture(number + 1, architecture.name)
        steps = (*architecture.recipe(self.space.recovery), *variant.steps)
        candidate = evaluate(self.run, number + 1, steps, variant.engine, role)
        work = self.run.workshop.work
        self.planning.learn(number + 1, spent_on(candidate, architecture, variant, self.space.recovery, work))
        self._tell(candidate)

    def _tell(self, candidate: Candidate) -> None:
        board = self.board
        before = board.leader()
        board.done[candidate.key] = candidate
        price = cost(candidate, board.original, self.run.budget, board.quantities)
        if candidate.state != "ok" or price is None:
            self.trials.tell(candidate.key - 1, None, None, [])
            return
        self.trials.tell(candidate.key - 1, price, -board.gain(candidate), board.missed(candidate))
        leader = board.leader()
        if leader is not None and leader is not before:
            self.run.listener.best(leader)
