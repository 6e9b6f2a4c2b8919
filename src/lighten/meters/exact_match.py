"""Exact match: share of prompts whose answer is the reference, up to case, spacing and a final full stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.language_codes import answer_code
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._judge import judge_right
from lighten.meters._outlook import of_right
from lighten.meters._power import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class ExactMatch(QualityMeter):
    """An answer is right when its code is that of the row's reference (``lighten.core.language_codes.answer_code``)."""

    quantities = (Quantity("exact_match", "fraction", HIGHER, "Share of prompts whose answer is the reference."),)

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: [n, 1] codes of answers."""
        if outputs.shape[1:] != (1,):
            return {"exact_match": Measured(None, 0, note="unknown: these are no answers to prompts")}
        if not rows.references:
            return {"exact_match": Measured(None, 0, note="unknown: the rows have no reference answers")}
        return {"exact_match": Measured(float(_right(outputs, rows).mean()), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Tango's interval on right and wrong rows, or the exact one of the candidate alone; over units as well.

        Raises:
            ValueError: the rows have no reference answers.
        """
        return judge_right(_right(original, rows), _right(candidate, rows), floor, rows.units, seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return shares(self.quantities[0], floor, len(rows), rows.units)

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        return (of_right(_right(original, rows), _right(candidate, rows), floor, rows.units),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """1 where only the original is right, -1 where only the candidate is, [n]."""
        return np.asarray(_right(original, rows).astype(np.float64) - _right(candidate, rows))


def _right(outputs: NDArray[Any], rows: Rows) -> NDArray[np.bool_]:
    if not rows.references:
        raise ValueError("the rows have no reference answers")
    return np.asarray(outputs[:, 0] == np.array([answer_code(text) for text in rows.references]))
