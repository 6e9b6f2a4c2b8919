"""Which class each answer of a classifier means, as far as labelled rows can tell.

A classifier whose classes have no names answers with numbers, and a guess says which label each of them is. Rows whose
label is known tell a wrong guess from a weak model. What counts is how answers and labels go together, beyond what
their frequencies alone bring: a model that always gives the same answer is right oftener under one assignment than
under another, and says nothing about which is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import hypergeom, norm

CLEAR = 0.001
"""Chance below which it is clear that answers and labels go together in one way and not in another."""
LIKELY = 0.01
"""The same for two labels of a guess that only has to be confirmed."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What labelled rows say of a guess.

    Attributes:
        given: the answer that each label was taken for. best: the answers that go together with the labels most.
        n: rows. right, right_best: share of them that is right as given, and under ``best``.
        beaten: whether the rows clearly speak against ``given``.
        confirmed: whether most pairs of labels are clearly told apart as given.
        settled: whether every pair is under ``best``, so that the rows alone decide.
    """

    given: tuple[int, ...]
    best: tuple[int, ...]
    n: int
    right: float
    right_best: float
    beaten: bool
    confirmed: bool
    settled: bool


def judge_assignment(answers: Sequence[int], targets: Sequence[int], given: Sequence[int], outputs: int) -> Assignment:
    """Compare a guess with the assignment that fits best.

    That one is found on one half of the rows and tried on the other, and the reverse, so that a choice among many
    assignments wins nothing by chance.

    Args:
        answers: [n] the output that was largest, 0 to ``outputs - 1``.
        targets: [n] label of each row, 0 to ``len(given) - 1``.
        given: the output that each label was taken for; no two the same.

    Raises:
        ValueError: answers and targets of different lengths, or none.
    """
    said, truth, taken = (np.asarray(values, np.int64) for values in (answers, targets, given))
    if said.shape != truth.shape or not said.size:
        raise ValueError(f"{said.size} answers and {truth.size} targets; as many of both are needed, and some")
    counts = _counts(truth, said, len(taken), outputs)
    best = best_assignment(counts, taken)
    half = np.random.default_rng(0).permutation(said.size) % 2
    gains = []
    for side in (0, 1):
        learned, tried = half == side, half != side
        other = best_assignment(_counts(truth[learned], said[learned], len(taken), outputs), taken)
        gains.append(_gains(truth[tried], said[tried], taken, other, outputs))
    right, right_best = (float((said == places[truth]).mean()) for places in (taken, best))
    return Assignment(
        tuple(taken.tolist()),
        tuple(best.tolist()),
        said.size,
        right,
        right_best,
        beaten=right_best > right and _chance(np.concatenate(gains)) < CLEAR,
        confirmed=bool((_pairs(counts, taken) < LIKELY).mean() > 0.5),
        settled=bool((_pairs(counts, best) < CLEAR).all()),
    )


def best_assignment(counts: Counts, given: NDArray[np.int64]) -> NDArray[np.int64]:
    """The output for each label that goes together with it most; of several as good, the one nearest to ``given``.

    counts: [labels, outputs], rows by label and answer; at least as many outputs as labels.
    """
    together = counts - counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(counts.sum(), 1)
    together[np.arange(len(given)), given] += 1e-6
    _, outputs = linear_sum_assignment(together, maximize=True)
    return np.asarray(outputs, np.int64)


def _counts(truth: NDArray[np.int64], said: NDArray[np.int64], labels: int, outputs: int) -> Counts:
    return np.bincount(truth * outputs + said, minlength=labels * outputs).reshape(labels, outputs)


def _pairs(counts: Counts, taken: NDArray[np.int64]) -> Floats:
    """For each pair of labels, the chance that answers at random tell them apart so well, by Fisher's exact test."""
    met = counts[:, taken]  # [labels, labels]: rows of one label that were answered with what another is taken for
    here, there = np.triu_indices(len(taken), 1)
    both, first = met[here, here], met[here, here] + met[here, there]
    column, rows = both + met[there, here], first + met[there, here] + met[there, there]
    return np.asarray(hypergeom.sf(both - 1, rows, first, column), np.float64)


def _gains(
    truth: NDArray[np.int64], said: NDArray[np.int64], taken: NDArray[np.int64], other: NDArray[np.int64], outputs: int
) -> Floats:
    """What each row, [n], says for ``other`` and against ``taken``; 0 on average where answers and labels know nothing.

    1 where it is right under the one only and -1 under the other only, less what label and answer bring by themselves.
    """
    labels = np.arange(len(taken))
    weights = np.zeros((len(taken), outputs))
    weights[labels, other] += 1.0
    weights[labels, taken] -= 1.0
    counts = _counts(truth, said, len(taken), outputs)
    rows, columns = (counts.sum(axis=axis) / max(len(truth), 1) for axis in (1, 0))
    by_label, by_answer = weights @ columns, rows @ weights
    centred = weights - by_label[:, None] - by_answer[None, :] + rows @ by_label
    return np.asarray(centred[truth, said], np.float64)


def _chance(gains: Floats) -> float:
    """Chance of so high a sum if the mean were 0, by the normal approximation with the rows' own spread."""
    spread = float(np.sqrt((gains**2).sum()))
    return float(norm.sf(gains.sum() / spread)) if spread > 1e-9 else 1.0
