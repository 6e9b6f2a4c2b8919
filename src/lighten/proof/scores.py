"""Statistics over weighted rows, for the bootstrap: means, ratios of sums, macro-F1.

A ``Statistic`` takes the rows of one model, [n] or [n, k], and ``weights`` [resamples, n] (how often each row was
drawn), and returns [resamples] values. All are matrix products, so that thousands of resamples cost little. A statistic
of one's own, such as corpus BLEU or word error rate, is ``weights @ sums per row`` and what is done with the sums.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.generic]
Statistic = Callable[[Rows, Floats], Floats]


def mean(rows: Rows, weights: Floats) -> Floats:
    """Weighted mean of [n] numbers: accuracy from 0 and 1, log-loss in nats from the loss of each row."""
    values = np.asarray(rows, dtype=np.float64)
    return np.asarray(weights @ values / weights.sum(axis=1))


def ratio_of_sums(rows: Rows, weights: Floats) -> Floats:
    """Sum of column 0 over sum of column 1 of [n, 2] numbers: bits per byte, word errors per word, nats per token."""
    sums = weights @ np.asarray(rows, dtype=np.float64)
    return np.asarray(sums[:, 0] / sums[:, 1])


def by_units(
    statistic: Statistic, unit: npt.NDArray[np.intp], *rows: Rows
) -> tuple[npt.NDArray[np.float64], ...] | None:
    """Rows added up by unit, [units, 2] each, where ``ratio_of_sums`` of them is the statistic; None where it is not.

    Args:
        unit: [n] number of each row's unit.
    """
    if statistic is mean:
        rows = tuple(np.stack([np.asarray(values, dtype=np.float64), np.ones(unit.size)], axis=1) for values in rows)
    elif statistic is not ratio_of_sums:
        return None
    return tuple(np.stack([np.bincount(unit, column) for column in np.asarray(one).T], axis=1) for one in rows)


def macro_f1(truth: npt.ArrayLike, classes: int) -> Statistic:
    """Macro-F1 of predicted labels: the mean of the F1 of each class.

    Args:
        truth: [n] true labels, whole numbers from 0 to ``classes - 1``.
        classes: number of classes.

    Returns:
        A statistic of [n] predicted labels, a proportion. A class with no true row in a resample is left out of its
        mean; a prediction outside the classes is wrong and belongs to none.

    Raises:
        ValueError: a label outside the classes.
    """
    answers = np.asarray(truth)
    is_true = _one_hot(answers, classes)
    if answers.ndim != 1 or not np.all(is_true.sum(axis=1) == 1.0):
        raise ValueError(f"true labels must be a list of whole numbers from 0 to {classes - 1}")

    def statistic(rows: Rows, weights: Floats) -> Floats:
        is_predicted = _one_hot(rows, classes)
        sums = weights @ np.hstack([is_true * is_predicted, is_true, is_predicted])
        hits, true, predicted = np.split(sums, 3, axis=1)
        f1 = 2.0 * hits / np.maximum(true + predicted, 1.0)
        present = true > 0.0
        return np.asarray((f1 * present).sum(axis=1) / present.sum(axis=1))

    return statistic


def _one_hot(labels: Rows, classes: int) -> Floats:
    """[n] labels as [n, classes] zeros and ones."""
    return np.asarray(labels[:, None] == np.arange(classes), dtype=np.float64)
