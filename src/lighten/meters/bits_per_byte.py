"""Bits per byte: how many bits the model needs to tell a byte of the documents, whatever its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.budget import Constraint
from lighten.core.language_codes import BYTES, NATS
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

LEAST_REACH = 1e-12


class BitsPerByte(QualityMeter):
    """All bits over all bytes, so that a long document counts as much as its length."""

    quantities = (
        Quantity("bits_per_byte", "bits/byte", LOWER, "Bits that the model needs for a byte of the documents' text."),
    )

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        """outputs: answers to documents. ``n`` is the number of documents."""
        if not of_documents(outputs) or not outputs[:, BYTES].sum() > 0.0:
            return {"bits_per_byte": Measured(None, 0, note=NO_DOCUMENTS)}
        return {"bits_per_byte": Measured(_ratio(_bits_and_bytes(outputs)), len(rows))}

    def judge(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint, seed: int
    ) -> Verdict:
        """Bootstrap over documents, or over units where documents belong together.

        Where few documents changed, those that were not drawn are supposed to change as much as the worst one did; a
        document whose nats are the same to the last bit was computed alike, so none at all prove that nothing did.
        """
        worst = float(np.abs(self.effects(original, candidate, rows)).max(initial=LEAST_REACH))
        before, after = _bits_and_bytes(original), _bits_and_bytes(candidate)
        return MetricRows(
            before,
            after,
            perfect=after * np.array([0.0, 1.0]),
            statistic=ratio_of_sums,
            reach=worst,
            units=rows.units,
        ).judge(floor, "lower", seed)

    def power(self, rows: Rows, floor: Constraint, labels: Sequence[str] = ()) -> Power:
        """See :meth:`QualityMeter.power`."""
        return scores(floor, rows, of="documents")

    def outlook(
        self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows, floor: Constraint
    ) -> tuple[Outlook, ...]:
        """See :meth:`QualityMeter.outlook`."""
        check_documents(original, candidate)
        before, after = _bits_and_bytes(original), _bits_and_bytes(candidate)
        if floor.relative:
            worse, allowed = self.effects(original, candidate, rows), floor.bound
            if floor.relative == "ratio":
                worse, allowed = worse - floor.bound * before[:, 0] / before[:, 1].mean(), 0.0
        else:
            worse, allowed = (after[:, 0] - floor.bound * after[:, 1]) / after[:, 1].mean(), 0.0
        return (of_rows(worse, allowed, rows.units),)

    def effects(self, original: NDArray[Any], candidate: NDArray[Any], rows: Rows) -> NDArray[np.float64]:
        """More bits per document over the mean length in bytes, [n]; their mean is the change of the ratio.

        Where the candidate's tokenizer scores other bytes, what the original needs for those is taken off.
        """
        check_documents(original, candidate)
        before, after = _bits_and_bytes(original), _bits_and_bytes(candidate)
        more = after - before
        return np.asarray((more[:, 0] - _ratio(before) * more[:, 1]) / after[:, 1].mean())


def _bits_and_bytes(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """[n, 2]: bits and bytes of each document."""
    return np.stack([outputs[:, NATS] / log(2.0), outputs[:, BYTES]], axis=1).astype(np.float64)


def _ratio(columns: NDArray[np.float64]) -> float:
    return float(ratio_of_sums(columns, np.ones((1, len(columns))))[0])
