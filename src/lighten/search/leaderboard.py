"""Leaderboard: every finished candidate of a run, and how each stands against the budget."""

from __future__ import annotations

from lighten.core.result import HIGHER, Candidate
from lighten.search.chance import chance
from lighten.search.context import Run, quantities_of
from lighten.search.racing import cost, promising, shortfall

ARCHITECTURE = "body of {}"
"""Under which the study remembers the architecture of a candidate; the old word, so that runs begun with it go on."""


class Leaderboard:
    """The candidates that are finished, by key. What they are worth follows from ``select`` and from measurements.

    Attributes:
        done: every candidate that was measured, failed or was stopped; 0 is the original.
        quantities: every quantity that the run measures, by name.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.quantities = quantities_of(run.quality, run.speed)
        self.done = {c.key: c for c in run.folder.study.candidates() if c.state != "running"}

    @property
    def original(self) -> Candidate:
        """Candidate 0."""
        return self.done[0]

    def cost_of(self, candidate: Candidate) -> float:
        """The minimized quantity as a multiple of the original's; infinite when it is unknown."""
        found = cost(candidate, self.original, self.run.budget, self.quantities)
        return float("inf") if found is None else found

    def missed(self, candidate: Candidate) -> list[float]:
        """By how much each floor, then each ceiling, is missed; at most 0 when it is met, 1 when it is unknown."""
        found = []
        for constraint in (*self.run.budget.keep, *self.run.budget.under):
            missed = shortfall(constraint, self.quantities[constraint.metric], candidate, self.original)
            found.append(1.0 if missed is None else missed)
        return found

    def misses_quality(self, candidate: Candidate) -> bool:
        """Whether a floor is missed on ``select``."""
        return any(m > 0 for m in self.missed(candidate)[: len(self.run.budget.keep)])

    def chance(self, candidate: Candidate) -> float:
        """Estimated chance that a candidate holds on ``proof``; 0 for one that failed."""
        return chance(self.run, candidate, self.original, self.quantities) if candidate.state == "ok" else 0.0

    def gain(self, candidate: Candidate) -> float:
        """Change of the first floor's metric against the original on ``select``, positive when better."""
        first = self.run.budget.keep[0].metric
        value, before = candidate.value(first), self.original.value(first)
        change = (value or 0.0) - (before or 0.0)
        return change if self.quantities[first].direction == HIGHER else -change

    def leader(self) -> Candidate | None:
        """The cheapest candidate that meets every floor and ceiling by its point estimates."""
        good = [
            c for c in self.done.values() if c.key and promising(c, self.original, self.run.budget, self.quantities)
        ]
        return min(good, key=self.cost_of, default=None)

    def made_of(self, architecture: str) -> list[Candidate]:
        """Measured candidates of the architecture with this name."""
        return [c for key, c in self.done.items() if c.state == "ok" and self.architecture_of(key) == architecture]

    def architecture_of(self, key: int) -> str | None:
        """Name of the architecture that a candidate was made of; None for that of the original."""
        name: str | None = self.run.folder.study.recall(ARCHITECTURE.format(key))
        return name

    def remember_architecture(self, key: int, name: str) -> None:
        """Record which architecture a candidate is made of."""
        self.run.folder.study.remember(ARCHITECTURE.format(key), name)
