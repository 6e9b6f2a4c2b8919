"""Interleaving: sessions take turns, so that what slows the machine down slows all of them, and ratios are honest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

from lighten.core import catalog
from lighten.core.errors import CandidateFailed, InputError
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import Measured, Quantity, Result
from lighten.core.spread import half_iqr
from lighten.core.step import Silent, Watch
from lighten.measure.rounds import DISTURBED, noisy
from lighten.measure.series import Series
from lighten.sessions.process import SessionProcess

Key = TypeVar("Key")

LEAST_ROUNDS = 3
MOST_ROUNDS = 4
"""Rounds at the least, even when time is up, unless fewer are asked for; and how many times the meters' own number of
turns at the most."""
EXTRA = 1.0
"""What measuring may take beyond its time while too few undisturbed rounds were had, as a share of that time."""
MOST_BESIDE = 3
"""Sessions that take turns between two turns of the first one: what is compared must be near in time."""
SETTLE_SECONDS = 0.03
"""Pause between two sessions; threads of a runtime spin for some milliseconds after a call before they sleep."""
LONGEST_PAUSE = 2.0
"""Seconds, at the most, before a round is taken again that other processes disturbed."""
SWITCH = "LIGHTEN_MEASURE_SECONDS"
"""Environment variable with the seconds of a measurement at the most; without it, as planned."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One quantity of one session.

    Attributes:
        ratio: against the first session, the median over the rounds that count; above 1 is better (see
            ``Result.ratio``); None when unknown.
        ratio_spread: half the interquartile range of the ratios of the rounds; None when one round counted.
        rounds: how many rounds the ratio rests on. ratio_unit: see ``Result.ratio_unit``.
        reference: what the first session read in the same rounds.
        unsure: whether the machine was so disturbed, or the rounds differ so much, that the ratio may be wrong; the
            note of ``measured`` says which.
    """

    quantity: Quantity
    measured: Measured
    ratio: float | None = None
    ratio_spread: float | None = None
    rounds: int = 0
    ratio_unit: str = ""
    reference: float | None = None
    unsure: bool = False


Readings = Mapping[str, Reading]
"""By quantity name."""


def measure(
    sessions: Mapping[Key, SessionProcess],
    work: Workload,
    *,
    meters: Sequence[str] = (),
    seconds: float = 10.0,
    least: int = LEAST_ROUNDS,
    usual: Mapping[str, float] | None = None,
    watch: Watch | None = None,
) -> dict[Key, Readings | CandidateFailed]:
    """Measure open sessions in turns: A B, B A, A B, ... The first one is what the others are compared with.

    Where there are many, it has a turn beside every three of them.

    A round that was disturbed (see :mod:`lighten.measure.rounds`) is set aside and taken again while time allows, for
    which as much time again may be spent. What then rests on too few rounds, or on rounds that differ too much, is
    ``unsure``.

    Args:
        sessions: open ones, the original first.
        meters: catalog names of speed meters; all of them when empty.
        seconds: when they are over, no further round starts; never more than ``LIGHTEN_MEASURE_SECONDS`` says.
        least: rounds that always run.
        usual: what the first session usually reads, by quantity (see ``rounds.usual_of``); a measurement in which it
            reads far more is not believed.
        watch: shortens ``seconds`` to what its deadline leaves.

    Returns:
        Readings by key, or the failure of a session that failed while it was measured; the others go on.

    Raises:
        CandidateFailed: the first session failed.
        InputError: ``LIGHTEN_MEASURE_SECONDS`` is no number of seconds.
    """
    used = speed_meters(meters)
    watch = watch or Silent()
    seconds = max(min(seconds, watch.seconds_left(), most_seconds()), 0.0)
    until = monotonic() + seconds
    field = _Field[Key](sessions, work)
    series = {name: Series[Key](meter, field.first, least, usual or {}) for name, meter in used.items()}
    repeated = {name: one for name, one in series.items() if one.meter.turns > 1}
    for key in sessions:
        field.load(key)
    for name, one in series.items():
        if one.meter.fresh:
            field.alone(name, one)
    for key in field.alive:
        field.warm_up(key, repeated)
    wanted = max((one.meter.turns for one in repeated.values()), default=0)
    while going := {name: open_ for name, one in repeated.items() if (open_ := field.open(one, until, seconds))}:
        for name, keys in going.items():
            field.round(name, repeated[name], keys, until)
        done = min(len(one.undisturbed(key)) for one in repeated.values() for key in field.alive)
        watch.progress(min(done, wanted), wanted, "measured")
    for name, one in series.items():
        if name not in repeated and not one.meter.fresh:
            field.round(name, one, field.alive, until)
    return {key: field.failed[key] if key in field.failed else _readings(series.values(), key) for key in sessions}


def most_seconds() -> float:
    """What ``LIGHTEN_MEASURE_SECONDS`` allows a measurement; infinity where it is not set.

    Raises:
        InputError: it is no number of seconds.
    """
    told = os.environ.get(SWITCH, "")
    try:
        most = float(told) if told else float("inf")
    except ValueError:
        most = -1.0
    if not most >= 0:
        raise InputError(f"{SWITCH} is {told!r}.", allowed="seconds, from 0", fix=f"unset {SWITCH}")
    return most


def told_seconds() -> dict[str, str]:
    """``LIGHTEN_MEASURE_SECONDS`` for the record of a run whose figures rest on it; empty where it is not set."""
    told = os.environ.get(SWITCH, "")
    return {"measure_seconds": f"{told} s ({SWITCH})"} if told else {}


class _Field(Generic[Key]):
    """The sessions that still run."""

    def __init__(self, sessions: Mapping[Key, SessionProcess], work: Workload) -> None:
        self.sessions, self.work = dict(sessions), work
        self.first = next(iter(sessions))
        self.failed: dict[Key, CandidateFailed] = {}

    @property
    def alive(self) -> list[Key]:
        """Keys of the sessions that have not failed, the first one first."""
        return [key for key in self.sessions if key not in self.failed]

    def load(self, key: Key) -> None:
        """Hand over the workload."""
        with self._failing(key):
            self.sessions[key].load(self.work)

    def alone(self, name: str, series: Series[Key]) -> None:
        """The one turn of each session in a process that has done nothing before."""
        turns: dict[Key, Mapping[str, Any]] = {}
        for key in self.alive:
            with self._failing(key):
                turns[key] = self.sessions[key].turn_alone(name)
        series.add(0, turns, {})

    def warm_up(self, key: Key, meters: Iterable[str]) -> None:
        """The warm-up turns of a session."""
        with self._failing(key):
            for name in meters:
                self.sessions[key].warm_up(name)

    def open(self, series: Series[Key], until: float, seconds: float) -> list[Key]:
        """Sessions that take further rounds of a meter: they have not enough, and there is time for it.

        A session alone is the first one; beside others it takes as many rounds as they do.
        """
        now, others = monotonic(), self.alive[1:] or self.alive
        late = now >= until + EXTRA * seconds
        found = []
        for key in others:
            taken = series.taken(key)
            if taken >= series.meter.turns * MOST_ROUNDS or series.enough(key):
                continue
            if taken < series.least or now < until or not (late or series.sure(key)):
                found.append(key)
        return found

    def round(self, name: str, series: Series[Key], keys: Sequence[Key], until: float) -> None:
        """One turn of each of these sessions, a few at a time beside a turn of the first one.

        Every other time they go in reverse order. Where others were at work, a pause follows.
        """
        others = [key for key in keys if key != self.first]
        for begin in range(0, max(len(others), 1), MOST_BESIDE):
            group = [self.first, *others[begin : begin + MOST_BESIDE]]
            turns: dict[Key, Mapping[str, Any]] = {}
            shares: dict[Key, float] = {}
            number = series.next_number(group)
            for key in group if series.taken(group[-1]) % 2 == 0 else reversed(group):
                sleep(SETTLE_SECONDS)
                with self._failing(key):
                    turns[key] = turn = self.sessions[key].turn(name, number)
                    seen = self.sessions[key].others if series.meter.turns > 1 else turn.get("others")
                    shares[key] = seen or 0.0
            series.add(number, turns, shares)
            if max(shares.values(), default=0.0) > DISTURBED:
                sleep(max(min(LONGEST_PAUSE, until - monotonic()), 0.0))

    @contextmanager
    def _failing(self, key: Key) -> Iterator[None]:
        try:
            yield
        except CandidateFailed as failure:
            if key == self.first:
                raise
            self.failed[key] = failure


def _readings(every: Iterable[Series[Key]], key: Key) -> Readings:
    """Everything that was measured of one session, reduced."""
    found = {}
    for series in every:
        kept = series.count(key)
        values, reference = (series.values(k, kept.rounds) for k in (key, series.first))
        for quantity in series.meter.quantities:
            measured, ratios = values[quantity.name], series.ratios(key, quantity, kept.rounds)
            doubt = kept.doubt or (f"rounds gave {min(ratios):.3g} to {max(ratios):.3g} times" if noisy(ratios) else "")
            if measured.value is not None:
                said = f"unsure: {doubt}" if doubt else ""
                measured = replace(measured, note="; ".join(filter(None, (measured.note, kept.note, said))))
            found[quantity.name] = Reading(
                quantity,
                measured,
                median(ratios) if ratios else None,
                half_iqr(ratios),
                len(ratios),
                series.meter.compared.get(quantity.name, ""),
                reference[quantity.name].value,
                unsure=bool(doubt) and measured.value is not None,
            )
    return found


def results(
    readings: Readings,
    *,
    artifact: str,
    engine: str,
    device: str = "cpu",
    part: str = "select",
    environment: str = "",
    bytewise: bool = False,
) -> list[Result]:
    """Readings as results.

    Args:
        artifact: id of the artifact that ran. engine: catalog name.
        part: where the rows or the workload were drawn from.
        environment: id of the environment.
        bytewise: whether the model's tokens are bytes, so that what counts tokens is told by bytes.
    """
    return [
        Result(
            artifact,
            engine,
            device,
            name,
            reading.measured.value,
            reading.ratio_unit if bytewise and reading.ratio_unit else reading.quantity.unit,
            reading.quantity.direction,
            reading.measured.n,
            reading.measured.spread,
            part,
            reading.ratio,
            reading.measured.note,
            environment,
            reading.ratio_spread,
            reading.rounds,
            reading.ratio_unit,
            reading.reference,
            reading.unsure,
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
