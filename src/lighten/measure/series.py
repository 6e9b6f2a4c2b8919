"""Series: all rounds of one meter, which of them count, and what they give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Generic, TypeVar

from lighten.core.meter import SpeedMeter
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.spread import half_iqr
from lighten.measure.rounds import DISTURBED, calm, noisy, ratios, severities, unusual

Key = TypeVar("Key")

SETTLED = 0.02
"""Half the interquartile range of a ratio over its median, below which more rounds change nothing."""
PATIENCE = 2
"""How many times a disturbed round is taken again with the same requests before the next ones are asked."""


@dataclass(frozen=True, slots=True)
class Round(Generic[Key]):
    """One turn of each session, side by side.

    Attributes:
        number: which requests were asked. turns: raw, by session.
        others: share of the cores that other processes took during the turn of each session.
        compared: what ratios are taken of, by session and quantity. costs: of the watched quantities, by session.
    """

    number: int
    turns: Mapping[Key, Mapping[str, Any]]
    others: Mapping[Key, float]
    compared: Mapping[Key, Mapping[str, float | None]]
    costs: Mapping[Key, Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class CountedRounds(Generic[Key]):
    """The rounds of two sessions that count.

    Attributes:
        rounds: those. sure: how many of them were undisturbed; fewer where there was nothing better.
        note: how many were set aside, and why; empty when none was.
        doubt: why nothing should rest on them; empty when there is no reason.
    """

    rounds: tuple[Round[Key], ...]
    sure: int
    note: str = ""
    doubt: str = ""


@dataclass
class Series(Generic[Key]):
    """The rounds of one meter.

    Attributes:
        first: the session that the others are compared with.
        least: undisturbed rounds that a ratio must rest on.
        usual: what the first session usually reads, by quantity; empty when it is not known.
    """

    meter: SpeedMeter
    first: Key
    least: int
    usual: Mapping[str, float] = field(default_factory=dict)
    rounds: list[Round[Key]] = field(default_factory=list)

    def add(self, number: int, turns: Mapping[Key, Mapping[str, Any]], others: Mapping[Key, float]) -> None:
        """Take in a round of the first session and some others. One that failed in it has no turn."""
        compared = {key: self.meter.compare([turn]) for key, turn in turns.items()}
        values = {key: self.meter.reduce([turn]) for key, turn in turns.items()}
        costs = {key: [_cost(q, own[q.name].value) for q in self._watched()] for key, own in values.items()}
        self.rounds.append(Round(number, turns, others, compared, costs))

    def next_number(self, keys: Sequence[Key]) -> int:
        """Which requests to ask these sessions next: the first that no undisturbed round has, if not tried in vain."""
        shared = set.intersection(*(set(self._both(key)) for key in keys))
        taken = Counter(self.rounds[i].number for i in shared)
        quiet = set.intersection(*(set(self.undisturbed(key)) for key in keys))
        good, number = {self.rounds[i].number for i in quiet}, 0
        while number in good or taken[number] > PATIENCE:
            number += 1
        return number

    def undisturbed(self, key: Key) -> list[int]:
        """Places of the rounds that were quiet for a session and the first one."""
        return [i for i, severity in zip(self._both(key), self._severities(key), strict=True) if severity <= 1.0]

    def taken(self, key: Key) -> int:
        """How many rounds a session took part in."""
        return len(self._both(key))

    def enough(self, key: Key) -> bool:
        """Whether a session has as many undisturbed rounds as the meter wants, and more would not change its ratio."""
        if len(self.undisturbed(key)) < self.meter.turns:
            return False
        found = self.ratios(key, self.meter.quantities[0], self.count(key).rounds)
        return not found or (half_iqr(found) or 0.0) <= SETTLED * median(found)

    def sure(self, key: Key) -> bool:
        """Whether a session's reading is not in doubt."""
        kept = self.count(key)
        return not kept.doubt and not noisy(self.ratios(key, self.meter.quantities[0], kept.rounds))

    def count(self, key: Key) -> CountedRounds[Key]:
        """The rounds that count for a session beside the first one."""
        both, severity = self._both(key), self._severities(key)
        chosen = calm(severity, self.least)
        rounds, aside = tuple(self.rounds[both[i]] for i in chosen), len(both) - len(chosen)
        quiet = sum(severity[i] <= 1.0 for i in chosen)
        if self.meter.turns == 1:
            return CountedRounds(rounds, quiet, doubt="" if quiet else f"it was disturbed{self._others(key, both)}")
        said = self._others(key, [i for i, one in zip(both, severity, strict=True) if one > 1.0])
        note = f"{aside} of {len(both)} rounds were set aside as disturbed{said}" if aside else ""
        if not quiet:
            every = f"all of {len(both)} rounds were disturbed{said}"
            return CountedRounds(rounds, 0, doubt="; ".join(filter(None, (every, self._unusual(rounds)))))
        if quiet < self.least:
            return CountedRounds(rounds, quiet, note, f"only {quiet} of {len(both)} rounds were undisturbed")
        return CountedRounds(rounds, quiet, note, self._unusual(rounds))

    def values(self, key: Key, rounds: Sequence[Round[Key]]) -> Mapping[str, Measured]:
        """What a session's turns give, by quantity."""
        return self.meter.reduce([one.turns[key] for one in rounds])

    def ratios(self, key: Key, quantity: Quantity, rounds: Sequence[Round[Key]]) -> list[float]:
        """One per round: a session against the first."""
        own, reference = ([one.compared[k][quantity.name] for one in rounds] for k in (key, self.first))
        return ratios(own, reference, quantity.direction)

    def _watched(self) -> list[Quantity]:
        names = self.meter.watched or (self.meter.quantities[0].name,)
        return [quantity for quantity in self.meter.quantities if quantity.name in names]

    def _both(self, key: Key) -> list[int]:
        """Places of the rounds in which a session and the first one took their turns."""
        return [i for i, one in enumerate(self.rounds) if key in one.turns and self.first in one.turns]

    def _severities(self, key: Key) -> list[float]:
        """How disturbed each of these rounds was for the two: see :func:`lighten.measure.rounds.severities`."""
        rounds = [self.rounds[i] for i in self._both(key)]
        others = [max(one.others.get(k, 0.0) for k in (key, self.first)) for one in rounds]
        if self.meter.turns == 1:  # it is asked once; nothing can be seen by its costs
            return [taken / DISTURBED for taken in others]
        most = [0.0] * len(rounds)
        for number, quantity in enumerate(self._watched()):
            reference = [one.costs[self.first][number] for one in rounds]
            own = reference if key == self.first else [one.costs[key][number] for one in rounds]
            usual = _cost(quantity, self.usual.get(quantity.name))
            most = list(map(max, most, severities(own, reference, others, usual)))
        return most

    def _unusual(self, rounds: Sequence[Round[Key]]) -> str:
        """That the first session was slower than it usually is; empty when it was not."""
        for number, quantity in enumerate(self._watched()):
            costs = [cost for one in rounds if (cost := one.costs[self.first][number]) is not None]
            level, usual = median(costs) if costs else None, _cost(quantity, self.usual.get(quantity.name))
            if level is not None and usual is not None and unusual(level, usual):
                return f"the original took {level / usual:.1f} times what it usually takes in this run"
        return ""

    def _others(self, key: Key, places: Sequence[int]) -> str:
        """What other processes took in some rounds; empty when that was little, or cannot be seen here."""
        shares = [self.rounds[i].others.get(k, 0.0) for i in places for k in (key, self.first)]
        most = max(shares, default=0.0)
        return f": other processes took up to {most:.0%} of the cores" if most > DISTURBED else ""


def _cost(quantity: Quantity, value: float | None) -> float | None:
    """A value as something of which less is better; None when it is unknown or no cost."""
    if value is None or value <= 0:
        return None
    return 1.0 / value if quantity.direction == HIGHER else value
