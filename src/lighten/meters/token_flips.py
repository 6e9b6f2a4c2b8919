"""Token flips: share of places in the documents where the model would write another token than the original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.language_codes import PROBED, UNKNOWN
from lighten.core.meter import Outlook, QualityMeter
from lighten.core.power import Power
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.meters._documents import NO_DOCUMENTS, check_documents, of_documents
from lighten.meters._judge import MetricRows
from lighten.meters._outlook import of_rows
from lighten.meters._power import scores
from lighten.proof.scores import ratio_of_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lighten.proof.verdict import Verdict


class TokenFlips(QualityMeter):
    """The most likely token at places spread over each document, compared by its text.

    Only places that both models know count: where a tokenizer has no token that begins there, nothing is compared.

    Source:
        Dutta et al., "Accuracy is not all you need" (2024).
    """

    quantities = (
        Quantity("token_flips", "fraction", LOWER, "Share of places whose most likely token is not the original's."),
    )

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs, original: answers to the same documents. ``n`` is the number of places compared."""
        if original is None:
            return {"token_flips": Measured(None, 0, note="unknown: the original's answers are not at hand")}
        if not (of_documents(outputs) and of_documents(original)):
            return {"token_flips": Measured(None, 0, note=NO_DOCUMENTS)}
        changed, compared = _compared(original, outputs).sum(axis=0)
        if not compared:
            return {"token_flips": Measured(None, 0, note="unknown: the two models share no place to compare")}
        return {"token_flips": Measured(float(changed / compared), int(compared))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Bootstrap over documents, or over units where documents belong together.

        The original changes none of its own tokens. Documents without a place to compare are left out.

        Raises:
            ValueError: fewer than two documents have places to compare.
        """
        check_documents(original, candidate)
        found = _compared(original, candidate)
        used = found[:, 1] > 0.0
        if np.count_nonzero(used) < 2:
            raise ValueError("the two models share no places to compare in two documents or more")
        moved = found[used]
        still = moved * np.array([0.0, 1.0])
        return MetricRows(
            still,
            moved,
            perfect=still,
            statistic=ratio_of_sums,
            reach=float(moved[:, 1].max() / moved[:, 1].mean()),  # a document whose every place changed
            units=rows.take(np.flatnonzero(used).tolist()).units,
        ).judge(replace(floor, relative=""), "lower", seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return scores(replace(floor, relative=""), rows, reach=1.0, of="documents")

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        worse = self.effects(original, candidate, rows)
        return () if worse is None else (of_rows(worse, floor.bound, rows.units, least=len(rows) ** -0.5),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64] | None:
        """Changed places of each document over the mean number of places compared, [n]; None when there is none."""
        check_documents(original, candidate)
        found = _compared(original, candidate)
        return np.asarray(found[:, 0] / found[:, 1].mean()) if found[:, 1].any() else None


def _compared(original: NDArray[Any], candidate: NDArray[Any]) -> NDArray[np.float64]:
    """[n, 2]: places of each document that changed, and places known in both."""
    before, after = original[:, PROBED:], candidate[:, PROBED:]
    known = (before != UNKNOWN) & (after != UNKNOWN)
    return np.stack([(known & (before != after)).sum(axis=1), known.sum(axis=1)], axis=1).astype(np.float64)
