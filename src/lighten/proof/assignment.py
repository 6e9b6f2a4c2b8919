"""Which class each answer of a classifier means, as far as labelled rows can tell.

A classifier whose classes have no names answers with numbers, and a guess says which label each of them is. Rows whose
label is known tell a wrong guess from a weak model: under the right assignment of labels to answers it is right oftener
than under any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom

CLEAR = 0.001
"""Chance of a sign test at which one assignment is clearly better than another."""
LIKELY = 0.01
"""The same for two labels of a guess that only has to be confirmed."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What labelled rows say of a guess.

    Attributes:
        given: the answer that each label was taken for. best: the answers under which most rows are right.
        n: rows. right, right_best: share of them that is right as given, and under ``best``.
        beaten: whether the rows clearly speak against ``given``.
        confirmed: whether most pairs of labels would clearly be worse off exchanged.
        settled: whether that is so for every pair of ``best``, so that the rows alone decide.
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
    assignments wins nothing by chance: a sign test counts the rows that are right under one of the two only.

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
    lost = won = 0
    for side in (0, 1):
        learned, tried = half == side, half != side
        other = best_assignment(_counts(truth[learned], said[learned], len(taken), outputs), taken)
        before, after = said[tried] == taken[truth[tried]], said[tried] == other[truth[tried]]
        lost, won = lost + int((before & ~after).sum()), won + int((~before & after).sum())
    n = said.size
    return Assignment(
        tuple(taken.tolist()),
        tuple(best.tolist()),
        n,
        float((said == taken[truth]).mean()),
        float((said == best[truth]).mean()),
        beaten=bool(_chance(won, lost) < CLEAR),
        confirmed=bool((_pairs(counts, taken) < LIKELY).mean() > 0.5),
        settled=bool((_pairs(counts, best) < CLEAR).all()),
    )


def best_assignment(counts: Counts, given: NDArray[np.int64]) -> NDArray[np.int64]:
    """The output for each label under which most rows are right; of several as good, the one nearest to ``given``.

    counts: [labels, outputs], rows by label and answer; at least as many outputs as labels.
    """
    weighed = counts * (len(given) + 1)
    weighed[np.arange(len(given)), given] += 1
    _, outputs = linear_sum_assignment(weighed, maximize=True)
    return np.asarray(outputs, np.int64)


def _counts(truth: NDArray[np.int64], said: NDArray[np.int64], labels: int, outputs: int) -> Counts:
    return np.bincount(truth * outputs + said, minlength=labels * outputs).reshape(labels, outputs)


def _pairs(counts: Counts, taken: NDArray[np.int64]) -> NDArray[np.float64]:
    """For each pair of labels, the chance that they look so much better than exchanged, if they were not."""
    met = counts[:, taken]  # [labels, labels]: rows of one label that were answered with what another is taken for
    here, there = np.triu_indices(len(taken), 1)
    kept, exchanged = met[here, here] + met[there, there], met[here, there] + met[there, here]
    return np.asarray(binom.sf(kept - 1, kept + exchanged, 0.5))


def _chance(won: int, lost: int) -> float:
    """Chance of so many wins or more in fair tosses."""
    return float(binom.sf(won - 1, won + lost, 0.5))
