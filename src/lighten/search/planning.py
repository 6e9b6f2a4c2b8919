"""Planning of time: what things take on this machine, as the run itself measured them, and what still fits.

Until a run has measured something, the priors of its task stand for it (``core.priors``). Every answer is a function of
the study and of the time that is left, so that a resumed run plans as an uninterrupted one would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from lighten.core.matching import opens_baselines_only
from lighten.core.recipe import record_of
from lighten.core.result import Candidate
from lighten.core.space import Variant
from lighten.pipeline.workshop import Work
from lighten.search.context import A_ROW, MEASURING, Run
from lighten.search.proposals import Architecture

SLOW = 300.0
"""Seconds of the original from which its candidates take no longer for it: what is made of a slow original, such as one
in eager torch, is not as slow."""
TOGETHER = 60.0
"""Seconds of the last measurements, about: the clock bounds them, but where a single turn takes longer."""
LAST = 2
"""Measurements to come when the search ends: of the finalists, and of what holds."""
UNSHRUNK = 0.3
"""Share of a pass over the rows that takes as long however little is left of the network."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one candidate took, in seconds.

    Attributes:
        engine: catalog name.
        variant: everything but what made its network: quantizing, building, judging, measuring. None where that says
            nothing of another variant, as of what is learned from nothing.
        making: what made its network, without the training back.
        learning: the training back. passes: over the rows, in which it was done. share: of the arithmetic that is left.
    """

    engine: str
    variant: float | None = None
    making: float = 0.0
    learning: float = 0.0
    passes: float = 0.0
    share: float = 1.0


def spent_on(
    candidate: Candidate, architecture: Architecture, variant: Variant, recovery: Sequence[Any], work: Sequence[Work]
) -> Spent:
    """What a candidate took, by what it was for.

    Args:
        recovery: step classes that train a network back. work: steps that were carried out for it.
    """
    back = {
        record_of(step)["use"]: step
        for step in architecture.recipe(recovery)[len(architecture.exact) + len(architecture.reshaping) :]
    }
    front = {record_of(step)["use"] for step in (*architecture.exact, *architecture.reshaping)}
    learned = [one for one in work if one.use in back]
    making = sum(one.seconds for one in work if one.use in front)
    learning = sum(one.seconds for one in learned)
    passes = max((float(getattr(back[one.use], "epochs", 0.0)) * one.reached for one in learned), default=0.0)
    from_nothing = opens_baselines_only(variant.engine)
    again = None if from_nothing or candidate.state != "ok" else max(candidate.seconds - making - learning, 0.0)
    if architecture.back is not None:  # another way back takes another time
        learning = passes = 0.0
    return Spent(candidate.engine, again, making, learning, passes, architecture.share)


class Planning:
    """How long things take in one run, what the time that is left allows, and what is kept back for the proof."""

    def __init__(self, run: Run) -> None:
        self.run, self.priors = run, run.task.priors

    def learn(self, key: int, spent: Spent) -> None:
        """Keep what a candidate took."""
        self.run.folder.study.remember(f"spent on {key}", asdict(spent))

    def variant(self, engine: str = "") -> float:
        """Seconds that one more variant of a finished network takes. engine: whose own measurements count first."""
        known = [(one.engine, one.variant) for one in self._spent() if one.variant is not None]
        alike = [seconds for name, seconds in known if name == engine] or [seconds for _, seconds in known]
        return median(alike) if alike else self.priors.variant.seconds(self._original_seconds)

    def settings(self, count: int) -> float:
        """Seconds that measuring ``count`` settings of an engine side by side takes."""
        return self.priors.settings.seconds(self._original_seconds, count)

    def settling(self) -> float:
        """Seconds that it takes to try engine settings on the best file and to judge it with the best of them."""
        return 2 * self.settings(0)

    def making(self) -> float:
        """Seconds that making a smaller network takes, without its training."""
        known = [one.making for one in self._spent() if one.making > 0]
        return median(known) if known else 0.0

    def a_pass(self, share: float) -> float:
        """Seconds that one pass over the rows takes in training. share: of the original's arithmetic that is left."""
        known = [one.learning / one.passes / _shrunk(one.share) for one in self._spent() if one.passes > 0]
        if not known:
            known = [self.priors.learning * len(self.run.parts.train) * self.a_row(0)]
        return max(known) * _shrunk(share)

    def a_row(self, key: int) -> float:
        """Seconds per row of a candidate: measured on all of ``select`` where that was done, else by the meters."""
        known = self._recalled(A_ROW, key)
        if known is not None:
            return known
        candidate = next((one for one in self.run.folder.study.candidates() if one.key == key), None)
        rate = candidate.value("rows_per_second") if candidate is not None else None
        return 1.0 / (rate or 100.0)

    def expected(self) -> float:
        """As :meth:`variant`; 0 while no candidate was measured: the first ones are begun as long as there is time."""
        return self.variant() if any(one.variant is not None for one in self._spent()) else 0.0

    def reserve_for_proof(self) -> float:
        """Seconds that the proof and the last measurements will take, at most half of what there are.

        What the finalists take is a prior until there are candidates that may be among them.
        """
        others = [self.proving(candidate.key) for candidate in self._finishers()]
        one = median(others) if others else self.proving(0) * (self.priors.proving - 1.0)
        seconds = self.proving(0) + one + self.together()
        return min(seconds, 0.5 * (self.run.options.seconds or float("inf")))

    def has_room_for_proof(self) -> bool:
        """Whether a proof fits into the time left, as the search keeps it back; one measurement is behind it."""
        return self.run.clock.left > self.reserve_for_proof() - self.together() / LAST

    def proving(self, key: int) -> float:
        """Seconds that a candidate's answers on the proof take, from what one took before."""
        return len(self.run.parts.proof) * self.a_row(key)

    def together(self) -> float:
        """Seconds that the last measurements take."""
        known = [self._recalled(MEASURING, candidate.key) for candidate in self._finishers()]
        measured = [seconds for seconds in known if seconds is not None]
        return max(TOGETHER, LAST * median(measured)) if measured else TOGETHER

    def proof_of(self, tested: Sequence[Candidate]) -> float:
        """Seconds that the proof of these candidates and the last measurements will take, from what each one took."""
        return self.proving(0) + sum(self.proving(candidate.key) for candidate in tested) + self.together()

    def _finishers(self) -> list[Candidate]:
        """Candidates that may come to the proof: made of the original, and judged on all of ``select``."""
        made = {key for key, one in self._spent_by_key() if one.variant is not None}
        return [
            one
            for one in self.run.folder.study.candidates()
            if one.key in made and self._recalled(A_ROW, one.key) is not None
        ]

    def _recalled(self, what: str, key: int) -> float | None:
        found: float | None = self.run.folder.study.recall(what.format(key))
        return found

    def passes_for(
        self, architecture: Architecture, usual: float, variants: Sequence[Variant], *, reserve: float
    ) -> float | None:
        """How many passes over the rows fit into the time left for the recovery of an architecture.

        Args:
            usual: what the steps themselves say. variants: in which the architecture will be measured.
            reserve: seconds that are kept back.

        Returns:
            None for the steps' own number; 0 when too few fit.
        """
        if self.run.clock.seconds is None:
            return None
        after = sum(self.variant(record_of(variant.engine)["use"]) for variant in variants) + self.settling()
        room = self.run.clock.left - reserve - self.making() - after
        fitting = room / self.a_pass(architecture.share)
        if self.priors.passes is None and fitting >= usual:
            return None
        parts = max(int(min(fitting, self.priors.passes or usual) / self.priors.part), 0)
        passes = parts if self.priors.part == 1 else round(parts * self.priors.part, 2)
        return 0 if architecture.wants_recovery and passes < self.priors.least else passes

    @property
    def _original_seconds(self) -> float:
        return min(next((one.seconds for one in self.run.folder.study.candidates() if one.key == 0), 0.0), SLOW)

    def _spent(self) -> Iterator[Spent]:
        return (one for _, one in self._spent_by_key())

    def _spent_by_key(self) -> Iterator[tuple[int, Spent]]:
        study = self.run.folder.study
        for candidate in study.candidates():
            record: Mapping[str, Any] | None = study.recall(f"spent on {candidate.key}")
            if record is not None:
                yield candidate.key, Spent(**record)


def _shrunk(share: float) -> float:
    return UNSHRUNK + (1 - UNSHRUNK) * share
