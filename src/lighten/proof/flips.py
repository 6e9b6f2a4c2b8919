"""Which items changed between the original and a candidate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class FlippedRows:
    """Rows whose prediction changed, by what became of them. Each is a sorted array of row numbers, from 0.

    Attributes:
        n: items compared.
        broke: the original was right, the candidate is wrong.
        fixed: the original was wrong, the candidate is right.
        moved: both are wrong, with different predictions; accuracy does not see these.
    """

    n: int
    broke: Rows
    fixed: Rows
    moved: Rows

    @property
    def b(self) -> int:
        """Number of items that broke."""
        return self.broke.size

    @property
    def c(self) -> int:
        """Number of items that were fixed."""
        return self.fixed.size

    @property
    def changed(self) -> int:
        """Number of items with another prediction than before."""
        return self.b + self.c + self.moved.size

    @property
    def rate(self) -> float:
        """Share of items with another prediction, a proportion in [0, 1]."""
        return self.changed / self.n


def find_flips(truth: npt.ArrayLike, original: npt.ArrayLike, candidate: npt.ArrayLike) -> FlippedRows:
    """Compare predictions with the truth and with each other.

    Args:
        truth: [n] labels (whole numbers or text).
        original: [n] predicted labels of the original.
        candidate: [n] predicted labels of the candidate, for the same items in the same order.

    Raises:
        ValueError: no items, shapes that differ, or a label that is NaN.

    Source:
        Dutta et al., "Accuracy is not all you need" (2024): flips show damage that equal accuracy hides.
    """
    arrays = [np.asarray(labels) for labels in (truth, original, candidate)]
    if arrays[0].ndim != 1 or arrays[0].shape[0] == 0 or any(a.shape != arrays[0].shape for a in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"truth and predictions must be three non-empty lists of one length; got shapes {shapes}")
    if any(array.dtype.kind == "f" and np.isnan(array).any() for array in arrays):
        raise ValueError("a label is NaN")
    answers, before, after = arrays
    was_right, is_right = before == answers, after == answers
    return FlippedRows(
        n=answers.shape[0],
        broke=np.flatnonzero(was_right & ~is_right),
        fixed=np.flatnonzero(~was_right & is_right),
        moved=np.flatnonzero(~was_right & ~is_right & (before != after)),
    )
