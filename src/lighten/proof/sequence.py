"""Fixed-sequence testing: several candidates, one error rate, no correction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lighten.proof.verdict import Verdict

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Tested(Generic[Key]):
    """One candidate that was tested: its key and its verdict for every gate."""

    key: Key
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        """Whether every gate held."""
        return all(verdict.holds for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class SequenceResult(Generic[Key]):
    """Outcome of a fixed sequence.

    Attributes:
        tested: in the order tested; all but perhaps the last one held. Whatever came later was never looked at.
    """

    tested: tuple[Tested[Key], ...]

    @property
    def held(self) -> tuple[Key, ...]:
        """Keys proven to hold, from the safest to the cheapest."""
        return tuple(one.key for one in self.tested if one.holds)

    @property
    def last_held(self) -> Key | None:
        """The cheapest key proven to hold; None when not even the safest did."""
        return self.held[-1] if self.held else None


def fixed_sequence(ordered: Iterable[tuple[Key, Callable[[], Sequence[Verdict]]]]) -> SequenceResult[Key]:
    """Test candidates in a fixed order, from the safest to the cheapest; the first that fails ends it.

    Each is tested at the full level, yet the chance of any false *holds* stays at that level: the first candidate
    that is truly too bad must pass by luck before any later one can. This is so only when the order was fixed without
    a look at the proof part. A candidate with several gates must pass all of them, which needs no correction either.

    Args:
        ordered: keys with the callable that opens the proof part and judges every gate; called only when reached.

    Raises:
        ValueError: a candidate came back without a single verdict, or a key appears twice.

    Source:
        Maurer, Hothorn and Lehmacher (1995); Westfall and Krishen, J. Statistical Planning and Inference 99 (2001).
        Several gates: the intersection-union test of Berger, Technometrics 24 (1982).
    """
    tested: list[Tested[Key]] = []
    for key, judge in ordered:
        if any(key == earlier.key for earlier in tested):
            raise ValueError(f"tested twice in one sequence: {key!r}")
        verdicts = tuple(judge())
        if not verdicts:
            raise ValueError(f"no verdict for {key!r}: a candidate without a gate proves nothing")
        tested.append(Tested(key, verdicts))
        if not tested[-1].holds:
            break
    return SequenceResult(tuple(tested))
