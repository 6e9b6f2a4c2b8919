"""The search over bodies: each is retrained once and measured in the best dressings; failures lead to larger ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lighten.search import proposals
from lighten.search.attempts import Attempts
from lighten.search.proposals import Body

LIKELY = 0.8
"""Chance to hold on ``proof`` from which a body counts as a success, so that smaller ones are tried next. At a chance
of one half, half the searches that go on to what is smaller end with nothing but stock: a body that is in doubt sends
the search to a larger one first, and stays a candidate itself."""


class Bodies:
    """The search over bodies. Every decision follows from the study, so that it can be killed and resumed."""

    def __init__(self, attempts: Attempts) -> None:
        self.attempts, self.run, self.board = attempts, attempts.run, attempts.board
        self._slow = attempts.run.task.priors.slow_answers

    def go(self, bodies: Sequence[Body]) -> None:
        """Try bodies by bisection, the largest share first, until time or candidates are spent or none is left."""
        in_hand = self.run.folder.study.recall("body in hand")
        for known in bodies:
            if in_hand and known.name == in_hand[0]:  # a killed run had tried it in some of its dressings
                self.measure(replace(known, epochs=in_hand[1]))
        while not self.attempts.spent():
            body = proposals.next_body(self.tried(), bodies, self.run.task.priors.first)
            if body is None or not self.measure(body):
                break

    def tried(self) -> dict[str, bool]:
        """Every body tried so far, and whether its best candidate is likely to hold."""
        tried: dict[str, bool] = {}
        for candidate in self.board.done.values():
            name = self.run.folder.study.recall(f"body of {candidate.key}")
            if name:
                tried[name] = tried.get(name, False) or self.board.chance(candidate) >= LIKELY
        return tried

    def measure(self, body: Body) -> bool:
        """Try a body in the best dressings; False when there is no time left for it."""
        study, dressings = self.run.folder.study, self.attempts.dressings.kept("kept dressings")
        if study.recall("body in hand") is None:
            epochs = self.attempts.epochs_for(body)
            if epochs == 0 and not self._goes_untrained(body):
                return False
            body = replace(body, epochs=epochs)
        if not dressings:
            return False
        study.remember("body in hand", [body.name, body.epochs])
        for dressing in dressings:
            if not self.attempts.attempt(body, dressing):
                return False
            done = self.board.done.items()
            if any(c.state == "stopped" and study.recall(f"body of {key}") == body.name for key, c in done):
                break  # its training was hopeless: no dressing changes that
            if self._slow and self.board.made_of(body.name) and self._is_far(body):
                break
        else:
            self._round_less(body)
        study.remember("body in hand", None)
        return True

    def _round_less(self, body: Body) -> None:
        """Try the body in the format that rounds least, when formats that round more failed narrowly."""
        good = any(self.board.chance(c) >= LIKELY for c in self.board.made_of(body.name))
        if not self._slow or good or self._is_far(body):
            return
        rounded = next(iter(self.attempts.dressings.roundings()), [])
        finest = max(rounded, key=lambda d: d.steps[-1].share(self.run.facts), default=None)
        if finest is not None and self._is_time_for_one():
            self.attempts.attempt(body, finest)

    def _is_far(self, body: Body) -> bool:
        """Whether a body misses a floor by more than the floor allows, which quantization alone does not explain."""
        board = self.board
        nearest = max(board.made_of(body.name), key=board.chance, default=None)
        if nearest is None:
            return True
        missed = zip(self.run.budget.keep, board.missed(nearest), strict=False)  # ceilings follow
        return any(
            by > floor.margin(board.original.value(floor.metric) or 0.0, board.quantities[floor.metric].direction)
            for floor, by in missed
        )

    def _goes_untrained(self, body: Body) -> bool:
        """Whether a body that cannot be retrained in time is worth measuring as it is, such as one with fewer words."""
        return not body.wants_recovery and self._is_time_for_one()

    def _is_time_for_one(self) -> bool:
        return self.run.clock.left > self.attempts.reserve + self.attempts.planning.variant()
