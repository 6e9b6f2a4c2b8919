"""Interleaving: sessions take turns, so that what slows the machine down slows all of them, and ratios are honest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

import numpy as np

from lighten.core import catalog
from lighten.core.errors import CandidateFailed
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, Measured, Quantity, Result
from lighten.core.step import Silent, Watch
from lighten.measure.process import SessionProcess

Key = TypeVar("Key")
Turns = dict[str, list[Mapping[str, Any]]]
"""Raw turns by meter."""

LEAST_ROUNDS = 3
MOST_ROUNDS = 4
"""Rounds at the least, even when time is up, unless fewer are asked for; and how many times the meters' own number of
turns at the most."""
SETTLED = 0.02
"""Half the interquartile range of a ratio over its median, below which more rounds change nothing."""
DISTURBED = 0.15
"""Share of the cores that other processes may take during a turn; above it the round is taken again."""
PATIENCE = 2
"""How many times a disturbed round is taken again; the last one counts, and a note says that it was disturbed."""
SETTLE_SECONDS = 0.03
"""Pause between two sessions; threads of a runtime spin for some milliseconds after a call before they sleep."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One quantity of one session.

    Attributes:
        ratio: against the first session, pairwise; above 1 is better (see ``Result.ratio``); None when unknown.
        ratio_spread: half the interquartile range of the ratios of the rounds; None when there was one round.
    """

    quantity: Quantity
    measured: Measured
    ratio: float | None = None
    ratio_spread: float | None = None


Readings = Mapping[str, Reading]
"""By quantity name."""


def measure(
    sessions: Mapping[Key, SessionProcess],
    work: Workload,
    *,
    meters: Sequence[str] = (),
    seconds: float = 10.0,
    least: int = LEAST_ROUNDS,
    watch: Watch | None = None,
) -> dict[Key, Readings | CandidateFailed]:
    """Measure open sessions in turns: A B, B A, A B, ... The first one is what the others are compared with.

    Args:
        sessions: open ones, the original first.
        meters: catalog names of speed meters; all of them when empty.
        seconds: when they are over, no further round starts.
        least: rounds that always run.
        watch: shortens ``seconds`` to what its deadline leaves.

    Returns:
        Readings by key, or the failure of a session that failed while it was measured; the others go on.

    Raises:
        CandidateFailed: the first session failed.
    """
    used = speed_meters(meters)
    watch = watch or Silent()
    until = monotonic() + min(seconds, watch.seconds_left())
    repeated = {name: meter for name, meter in used.items() if meter.turns > 1}
    once = {name: meter for name, meter in used.items() if meter.turns == 1}
    field = _Field[Key](sessions, work)
    for key in sessions:
        field.warm_up(key, repeated)
    wanted = max((meter.turns for meter in repeated.values()), default=0)
    for number in range(wanted * MOST_ROUNDS):
        enough = number >= wanted and field.settled(repeated)
        late = number >= least and monotonic() >= until
        if enough or late:
            break
        for name in repeated:
            field.round(name, number, again=monotonic() < until)
        watch.progress(min(number + 1, wanted), wanted, "measured")
    for name in once:  # last, so that the peak of memory covers all that was run
        field.round(name, 0)
    return field.readings(used)


class _Field(Generic[Key]):
    """The sessions that still run and the turns they have taken."""

    def __init__(self, sessions: Mapping[Key, SessionProcess], work: Workload) -> None:
        self.sessions, self.work = dict(sessions), work
        self.first = next(iter(sessions))
        self.turns: dict[Key, Turns] = {key: {} for key in sessions}
        self.failed: dict[Key, CandidateFailed] = {}
        self.disturbed: list[float] = []

    def warm_up(self, key: Key, meters: Mapping[str, SpeedMeter]) -> None:
        with self._failing(key):
            self.sessions[key].load(self.work)
            for name in meters:
                self.sessions[key].warm_up(name)

    def round(self, name: str, number: int, *, again: bool = False) -> None:
        """One turn of each session; every other round in reverse order.

        Interleaving cannot help against a disturbance as long as a round; such a round is taken ``again``.
        """
        for attempt in range(PATIENCE + 1):
            taken, others = self._round(name, number)
            if others <= DISTURBED or not again or attempt == PATIENCE:
                break
            sleep(attempt + 1.0)
        self.disturbed.append(others)
        for key, turn in taken.items():
            self.turns[key].setdefault(name, []).append(turn)

    def _round(self, name: str, number: int) -> tuple[dict[Key, Mapping[str, Any]], float]:
        """A turn of each session that has not failed, and the largest share of the cores that others took meanwhile."""
        keys, taken, most = [key for key in self.sessions if key not in self.failed], {}, 0.0
        for key in keys if number % 2 == 0 else reversed(keys):
            sleep(SETTLE_SECONDS)
            with self._failing(key):
                taken[key] = self.sessions[key].turn(name, number)
                most = max(most, self.sessions[key].others or 0.0)
        return taken, most

    def note(self) -> str:
        """What a reader must know about disturbed rounds; empty when there were none."""
        loud = [others for others in self.disturbed if others > DISTURBED]
        if not loud:
            return ""
        return (
            f"{len(loud)} of {len(self.disturbed)} rounds were disturbed: "
            f"other processes took up to {max(loud):.0%} of the cores"
        )

    @contextmanager
    def _failing(self, key: Key) -> Iterator[None]:
        try:
            yield
        except CandidateFailed as failure:
            if key == self.first:
                raise
            self.failed[key] = failure

    def ratios(self, key: Key, name: str, meter: SpeedMeter, quantity: Quantity) -> list[float]:
        """One per round: this session against the first."""
        found = []
        for own, reference in zip(self.turns[key][name], self.turns[self.first][name], strict=True):
            ratio = _ratio(meter.reduce([own]), meter.reduce([reference]), quantity)
            if ratio is not None:
                found.append(ratio)
        return found

    def settled(self, meters: Mapping[str, SpeedMeter]) -> bool:
        """Whether every meter's first quantity has a steady ratio for every session."""
        for key in self.sessions:
            if key in (self.first, *self.failed):
                continue
            for name, meter in meters.items():
                ratios = self.ratios(key, name, meter, meter.quantities[0])
                if ratios and (_half_iqr(ratios) or 0.0) > SETTLED * median(ratios):
                    return False
        return True

    def readings(self, meters: Mapping[str, SpeedMeter]) -> dict[Key, Readings | CandidateFailed]:
        """Everything, reduced."""
        return {key: self.failed[key] if key in self.failed else self._readings(key, meters) for key in self.sessions}

    def _readings(self, key: Key, meters: Mapping[str, SpeedMeter]) -> Readings:
        found = {}
        for name, meter in meters.items():
            values = meter.reduce(self.turns[key][name])
            for quantity in meter.quantities:
                ratios = self.ratios(key, name, meter, quantity)
                ratio, measured = median(ratios) if ratios else None, values[quantity.name]
                if meter.turns > 1 and self.note():
                    measured = replace(measured, note="; ".join(filter(None, (measured.note, self.note()))))
                found[quantity.name] = Reading(quantity, measured, ratio, _half_iqr(ratios))
        return found


def results(
    readings: Readings, *, artifact: str, engine: str, device: str = "cpu", part: str = "select", environment: str = ""
) -> list[Result]:
    """Readings as results.

    Args:
        artifact: id of the artifact that ran. engine: catalog name.
        part: where the rows or the workload were drawn from.
        environment: id of the environment.
    """
    return [
        Result(
            artifact,
            engine,
            device,
            name,
            reading.measured.value,
            reading.quantity.unit,
            reading.quantity.direction,
            reading.measured.n,
            reading.measured.spread,
            part,
            reading.ratio,
            reading.measured.note,
            environment,
        )
        for name, reading in readings.items()
    ]


def speed_meters(names: Sequence[str] = ()) -> dict[str, SpeedMeter]:
    """Speed meters by catalog name; all of them when no name is given.

    Raises:
        UnknownName: a name that is no meter.
    """
    loaded = {name: catalog.load("meters", name) for name in names or catalog.names("meters")}
    return {name: cls() for name, cls in loaded.items() if issubclass(cls, SpeedMeter)}


def _ratio(own: Mapping[str, Measured], reference: Mapping[str, Measured], quantity: Quantity) -> float | None:
    new, old = own[quantity.name].value, reference[quantity.name].value
    if new is None or old is None or new <= 0 or old <= 0:
        return None
    return new / old if quantity.direction == HIGHER else old / new


def _half_iqr(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    low, high = np.percentile(values, (25, 75))
    return float(high - low) / 2
