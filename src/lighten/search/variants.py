"""Deployment variants: which are tried on the original as it is, and which every architecture is measured in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lighten.core.item import size_of
from lighten.core.matching import is_packed
from lighten.core.recipe import record_of
from lighten.core.result import Candidate
from lighten.core.space import Space, Variant
from lighten.search import proposals
from lighten.search.context import Run
from lighten.search.leaderboard import Leaderboard
from lighten.search.racing import promising
from lighten.search.stock import is_unpacked, stock

KEPT_VARIANTS = 2
"""In how many variants every architecture is measured: on an engine each, or quantizations of the first format."""
KEPT, TUNED = "kept dressings", "tuned dressing"
"""Under which the study remembers the best variants; the old words, so that runs begun with them go on."""


class Variants:
    """What can be done to a float network without training, in the order in which it is worth trying.

    Attributes:
        every: all of them, those with other settings of their engine included.
    """

    def __init__(self, run: Run, space: Space, board: Leaderboard) -> None:
        self.run, self.space, self.board = run, space, board
        self.every = list(self._every())
        self.by_name = {proposals.variant_name(d): d for d in self.every}

    def _every(self) -> Iterator[Variant]:
        for variant in self.space.variants:
            yield variant
            slow = self.run.task.priors.slow_answers  # settings are tried on one file in the end, and all together
            for engine in variant.engine.ways()[1:] if slow else proposals.one_at_a_time(variant.engine):
                yield replace(variant, engine=engine)

    def affordable(self) -> list[Variant]:
        """Those that can be trained in the time available."""
        characters = sum(map(size_of, self.run.parts.train.inputs))
        return proposals.affordable(self.space.variants, characters, self.run.clock.seconds)

    def is_original(self, variant: Variant) -> bool:
        """Whether it is how the original itself is run."""
        first = self.board.original
        return not variant.steps and record_of(variant.engine) == {"use": first.engine, **first.engine_settings}

    def stock(self) -> list[Variant]:
        """What a user could pick without a search; what is learned quickly comes first."""
        found = stock(self.affordable(), self.run.original.format, self.run.facts)
        return [d for d in found if not self.is_original(d)]

    def tuned(self) -> list[Variant]:
        """Other settings of the quantization and the engine of the best stock variant, one at a time."""
        best = self.best(TUNED, 1)
        if not best or self.run.task.priors.slow_answers:  # every one costs minutes
            return []
        found = [replace(best[0], engine=engine) for engine in proposals.one_at_a_time(best[0].engine)]
        same = [d for d in self.space.variants if [type(s) for s in d.steps] == [type(s) for s in best[0].steps]]
        return [*found, *(d for d in same if d != best[0] and d.engine == best[0].engine)]

    def roundings(self) -> list[list[Variant]]:
        """Those that round weights to few bits and run them as stored: by format, the first engine's first."""
        found: dict[str, list[Variant]] = {}
        for variant in self.space.variants:
            made = variant.steps[-1].produces if variant.steps else ""
            if is_packed(made) and not is_unpacked(variant, made):
                found.setdefault(made, []).append(variant)
        return list(found.values())

    def best(self, name: str = KEPT, most: int = KEPT_VARIANTS) -> list[Variant]:
        """The best variants at the time of the first call, kept in the study; the original's own if none is good."""
        if self.run.task.priors.slow_answers:  # what does not hold on the original may hold after recovery
            first, *others = self.roundings() or [[]]
            return [*first[:most], *(of_another[0] for of_another in others)]
        names = self.run.folder.study.recall(name)
        if names is None:
            own = [d for d in self.every if self.is_original(d)]
            names = [proposals.variant_name(d) for d in self._best(most) or own[:1]]
            self.run.folder.study.remember(name, names)
        return [self.by_name[one] for one in names]

    def _best(self, most: int) -> list[Variant]:
        """The cheapest variants of the float original that look good enough, at most one for each engine."""
        board, budget = self.board, self.run.budget
        plain = [c for c in board.done.values() if c.key and c.name in self.by_name]
        good = [c for c in plain if promising(c, board.original, budget, board.quantities)] or [
            c for c in plain if c.state == "ok" and not board.misses_quality(c)
        ]
        kept: dict[str, Variant] = {}
        for candidate in sorted(good, key=board.cost_of):
            kept.setdefault(candidate.engine, self.by_name[candidate.name])
        return list(kept.values())[:most]

    def of(self, candidate: Candidate) -> Variant | None:
        """The variant of a candidate that has the original's own architecture; None for other candidates."""
        return self.by_name.get(candidate.name)
