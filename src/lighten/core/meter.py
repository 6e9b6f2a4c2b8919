"""Meter: how one quantity (or a family of them) is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.budget import Constraint
from lighten.core.item import Item
from lighten.core.power import Power
from lighten.core.result import Measured, Quantity
from lighten.core.rows import Rows
from lighten.core.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


SLICES = 5
"""Slices of the requests that are sent alone, one for each turn: every fifth request, from another one on."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What the sessions are asked while they are timed: requests drawn from the user's own data.

    Attributes:
        singles: inputs sent one at a time. Each of the ``SLICES`` has its share of every size: sessions are compared
            slice by slice.
        batch: inputs sent all at once.
        files: bytes on disk of the built artifact.
        load_seconds: wall-clock seconds that opening the session took.
        load_others: share of the cores that other processes took meanwhile; None when it is unknown.
    """

    singles: tuple[Item, ...]
    batch: tuple[Item, ...]
    files: int = 0
    load_seconds: float = 0.0
    load_others: float | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What answers on ``select`` say of a floor that is to be proved on other rows.

    Attributes:
        room: how far the candidate is on the right side of the floor, in the quantity's unit; below 0 on the wrong one.
        deviation: standard deviation of one row's part in it, above 0; of rows that belong to units, as if they were
            independent and as uncertain together.
        share: of the rows that count (those of one group), above 0 and at most 1.
    """

    room: float
    deviation: float
    share: float = 1.0


class Meter(ABC):
    """What measures one quantity, or a family of them that one look gives."""

    quantities: ClassVar[tuple[Quantity, ...]]


class SpeedMeter(Meter):
    """Measures a session. ``turn`` runs inside the session's own process, many times, the original interleaved."""

    turns: ClassVar[int] = 1
    """How many interleaved turns it wants at least; 1 for what does not vary (size, load)."""
    watched: ClassVar[tuple[str, ...]] = ()
    """Quantities by which a disturbed turn is known, since quiet turns hardly differ in them; the first when empty."""
    fresh: ClassVar[bool] = False
    """Whether its one turn needs a process that has done nothing before but open the session."""
    compared: ClassVar[Mapping[str, str]] = {}
    """Unit in which two sessions are compared, where that is not the quantity's own (see :meth:`compare`)."""

    @abstractmethod
    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """One turn, as plain JSON values. ``number`` counts from 0; -1 is the warm-up, whose answer is dropped."""

    @abstractmethod
    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """All turns of one candidate to values by quantity name."""

    def compare(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, float | None]:
        """What ratios are taken of, by quantity name: the values, unless they do not count the same in two models.

        Tokens of two vocabularies do not: see ``compared``.
        """
        return {name: measured.value for name, measured in self.reduce(turns).items()}


class QualityMeter(Meter):
    """Judges answers. Pure: answers and rows in, numbers out."""

    @abstractmethod
    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """Values by quantity name. outputs, original: [n, columns] answers (original: of the original, same rows).

        Columns are what the task says: logits of classes, or one of the layouts of ``lighten.core.language``. Answers
        of another layout than the meter's are unknown, with a note.
        """

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Prove that the candidate keeps a floor: what was asked of the quantity, as the user wrote it.

        A meter whose quantities are measured but never proved (``Quantity.unproved``) leaves this out.

        original, candidate: [n, columns] answers to the same rows.

        Raises:
            ValueError: the rows do not allow it (no groups, say), or the quantity is never proved.
        """
        reason = self.quantities[0].unproved
        assert reason, f"{type(self).__name__} must judge {self.quantities[0].name}, or say why nobody can"
        raise ValueError(f"{self.quantities[0].name} is never proved: {reason}")

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power | None:
        """What rows can prove about a floor, before anything is measured; None when a meter cannot say.

        Args:
            labels: names of the classes that targets index into.

        Raises:
            ValueError: the rows do not allow it (no groups, say).
        """
        return None

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """How a floor is likely to fare on other rows, one for each test that must hold; empty when it cannot be said.

        original, candidate: [n, columns] answers to the same rows.
        """
        return ()

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[Any] | None:
        """What each row contributes to the change of the first quantity; their spread says how sure the change is.

        original, candidate: [n, columns] answers to the same rows.

        Returns:
            float64 [n] in the quantity's unit, above 0 where the candidate is worse, its mean the change for
            the worse; None when rows have no such share, and which rows are right or wrong has to tell.
        """
        return None
