"""Flips: share of rows that get another answer than from the original, whether better or worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._judge import judge_changed
from lighten.meters._outlook import of_rows
from lighten.meters._power import shares
from lighten.proof.flips import find_flips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class Flips(QualityMeter):
    """Two models of equal accuracy can differ on many rows; this counts all of them.

    Source:
        Dutta et al., "Accuracy is not all you need" (2024).
    """

    quantities = (Quantity("flips", "fraction", LOWER, "Share of rows whose predicted class is not the original's."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs, original: [n, classes] logits for the same rows."""
        if original is None:
            return {"flips": Measured(None, 0, note="unknown: the original's answers are not at hand")}
        found = find_flips(rows.targets, original.argmax(axis=1), outputs.argmax(axis=1))
        return {"flips": Measured(found.rate, found.n)}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Exact bound of the share of changed answers; over units as well where rows belong together."""
        return judge_changed(original.argmax(axis=1) != candidate.argmax(axis=1), floor, rows.units, seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return shares(self.quantities[0], floor, len(rows), rows.units)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        moved = original.argmax(axis=1) != candidate.argmax(axis=1)
        return (of_rows(moved, floor.bound, rows.units, least=len(rows) ** -0.5),)
