"""Answer flips: share of prompts that get another answer than from the original, whether better or worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._judge import judge_changed
from lighten.meters._outlook import of_rows
from lighten.meters._power import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class AnswerFlips(QualityMeter):
    """Answers are compared by their codes, so up to case, spacing and a final full stop.

    Source:
        Dutta et al., "Accuracy is not all you need" (2024).
    """

    quantities = (Quantity("answer_flips", "fraction", LOWER, "Share of prompts whose answer is not the original's."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs, original: [n, 1] codes of answers to the same prompts."""
        if original is None:
            return {"answer_flips": Measured(None, 0, note="unknown: the original's answers are not at hand")}
        if outputs.shape[1:] != (1,):
            return {"answer_flips": Measured(None, 0, note="unknown: these are no answers to prompts")}
        return {"answer_flips": Measured(float(self.effects(original, outputs, rows).mean()), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Exact bound of the share of changed answers; over units as well where rows belong together."""
        return judge_changed(original[:, 0] != candidate[:, 0], floor, rows.units, seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return shares(self.quantities[0], floor, len(rows), rows.units)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        moved = self.effects(original, candidate, rows)
        return (of_rows(moved, floor.bound, rows.units, least=len(rows) ** -0.5),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """1 where the answer is another one, else 0, [n]."""
        return np.asarray(original[:, 0] != candidate[:, 0], dtype=np.float64)
