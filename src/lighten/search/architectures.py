"""The search over architectures: each is retrained once and measured in the best variants; a failure leads upward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lighten.search import proposals
from lighten.search.attempts import Attempts
from lighten.search.proposals import Architecture

LIKELY = 0.8
"""Chance to hold on ``proof`` from which an architecture counts as a success, so that smaller ones are tried next. At a
chance of one half, half the searches that go on to what is smaller end with nothing but stock: an architecture that is
in doubt sends the search to a larger one first, and stays a candidate itself."""
IN_HAND = "body in hand"
"""Under which the study remembers what is being tried; the old word, so that runs begun with it go on."""


class Architectures:
    """The search over architectures. Every decision follows from the study, so that it can be killed and resumed."""

    def __init__(self, attempts: Attempts) -> None:
        self.attempts, self.run, self.board = attempts, attempts.run, attempts.board
        self._slow = attempts.run.task.priors.slow_answers

    def go(self, architectures: Sequence[Architecture]) -> None:
        """Try architectures by bisection, the largest first, until time or candidates are spent or none is left."""
        in_hand = self.run.folder.study.recall(IN_HAND)
        for known in architectures:
            if in_hand and known.name == in_hand[0]:  # a killed run had tried it in some of its variants
                self.measure(replace(known, epochs=in_hand[1]))
        while not self.attempts.spent():
            architecture = proposals.next_architecture(self.tried(), architectures, self.run.task.priors.first)
            if architecture is None or not self.measure(architecture):
                break

    def tried(self) -> dict[str, bool]:
        """Every architecture tried so far, and whether its best candidate is likely to hold."""
        tried: dict[str, bool] = {}
        for candidate in self.board.done.values():
            name = self.board.architecture_of(candidate.key)
            if name:
                tried[name] = tried.get(name, False) or self.board.chance(candidate) >= LIKELY
        return tried

    def measure(self, architecture: Architecture) -> bool:
        """Try an architecture in the best variants; False when there is no time left for it."""
        study, variants = self.run.folder.study, self.attempts.variants.best()
        if study.recall(IN_HAND) is None:
            epochs = self.attempts.epochs_for(architecture)
            if epochs == 0 and not self._goes_untrained(architecture):
                return False
            architecture = replace(architecture, epochs=epochs)
        if not variants:
            return False
        study.remember(IN_HAND, [architecture.name, architecture.epochs])
        for variant in variants:
            if not self.attempts.attempt(architecture, variant):
                return False
            done = self.board.done.items()
            if any(c.state == "stopped" and self.board.architecture_of(key) == architecture.name for key, c in done):
                break  # its training was hopeless: no variant changes that
            if self._slow and self.board.made_of(architecture.name) and self._is_far(architecture):
                break
        else:
            self._round_less(architecture)
        study.remember(IN_HAND, None)
        return True

    def _round_less(self, architecture: Architecture) -> None:
        """Try the architecture in the format that rounds least, when formats that round more failed narrowly."""
        good = any(self.board.chance(c) >= LIKELY for c in self.board.made_of(architecture.name))
        if not self._slow or good or self._is_far(architecture):
            return
        rounded = next(iter(self.attempts.variants.roundings()), [])
        finest = max(rounded, key=lambda d: d.steps[-1].share(self.run.facts), default=None)
        if finest is not None and self._is_time_for_one():
            self.attempts.attempt(architecture, finest)

    def _is_far(self, architecture: Architecture) -> bool:
        """Whether it misses a floor by more than the floor allows, which quantization alone does not explain."""
        board = self.board
        nearest = max(board.made_of(architecture.name), key=board.chance, default=None)
        if nearest is None:
            return True
        missed = zip(self.run.budget.keep, board.missed(nearest), strict=False)  # ceilings follow
        return any(
            by > floor.margin(board.original.value(floor.metric) or 0.0, board.quantities[floor.metric].direction)
            for floor, by in missed
        )

    def _goes_untrained(self, architecture: Architecture) -> bool:
        """Whether it is worth measuring untrained when there is no time for training, such as one with fewer words."""
        return not architecture.wants_recovery and self._is_time_for_one()

    def _is_time_for_one(self) -> bool:
        return self.run.clock.left > self.attempts.reserve + self.attempts.planning.variant()
