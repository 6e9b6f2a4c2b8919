"""Learn a linear model of choices: the vocabulary, then logistic regression, its strength chosen on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lighten.core.errors import DataError
from lighten.nets.baselines.linear import LinearModel, NgramVocabulary, Singles
from lighten.nets.baselines.ngram_features import LONGEST, Ids, counted

STRENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""How much the rows count against weights of zero (sklearn's C); the next one is tried until held-out rows lose."""
LEAST = 2
"""Rows that must have an n-gram for it to count."""
ITERATIONS = 1000


def fit_linear(
    texts: Sequence[str],
    targets: Sequence[int],
    choices: Sequence[str],
    held: tuple[Sequence[str], Sequence[int]] = ((), ()),
    *,
    characters: int,
    most: int,
    heard: Callable[[int, int, float], None] = lambda done, total, nats: None,
) -> LinearModel:
    """Learn which choice follows which text. Deterministic.

    Args:
        targets: number of the right choice of each text.
        held: texts and targets on which the strength is chosen, by the likelihood of what is right.
        characters: of the longest n-grams of characters; 0 for words and pairs of words alone.
        most: n-grams in the vocabulary; those that more rows have come first.
        heard: called with the strengths tried, all of them, and the nats per held-out row at the best one so far.

    Raises:
        DataError: fewer than two choices, no rows, rows without a choice, or n-grams of a length that is not allowed.
    """
    checked(texts, targets, choices)
    checked(*held, choices) if held[0] else None
    if not 0 <= characters <= LONGEST:
        raise DataError(f"N-grams of {characters} characters cannot be counted.", allowed=f"0 to {LONGEST}")
    known = vocabulary(texts, characters, most)
    labels = np.asarray(targets, np.int64)
    spared = len(choices) / (len(texts) + len(choices))
    seen = np.unique(labels)
    if len(seen) < 2 or not len(known.keys):
        return _constant(tuple(choices), known, labels, spared)
    matrix, best, fewest = _matrix(known, texts), None, np.inf
    for number, strength in enumerate(STRENGTHS if held[0] else STRENGTHS[2:3]):
        weights, bias = _regression(matrix, labels, strength)
        model = LinearModel(tuple(choices), known, seen, weights.T.astype(np.float16), bias, spared)
        nats = nats_of(model, *held) if held[0] else 0.0
        if nats >= fewest:
            break
        best, fewest = model, nats
        heard(number + 1, len(STRENGTHS), fewest)
    assert best is not None
    return best


def checked(texts: Sequence[str], targets: Sequence[int], choices: Sequence[str]) -> None:
    """Refuse rows from which no choice can be learned.

    Raises:
        DataError: says what is missing.
    """
    if len(choices) < 2:
        raise DataError("A linear model needs choices.", allowed="at least two", fix="--choices positive,negative")
    if not texts:
        raise DataError("There are no rows to learn from.", allowed="at least one labelled row")
    if len(targets) != len(texts):
        raise DataError(f"{len(texts):,} rows have {len(targets):,} labels.", allowed="one label for each row")
    strange = next((i for i, target in enumerate(targets) if not 0 <= target < len(choices)), None)
    if strange is not None:
        raise DataError(
            f"Row {strange} ({texts[strange][:40]!r}) has the label {targets[strange]}, which is no choice.",
            allowed=f"0 to {len(choices) - 1}",
        )


def vocabulary(texts: Sequence[str], characters: int, most: int) -> NgramVocabulary:
    """The n-grams that several texts have, and not all of them: those say nothing, such as a prompt's own words."""
    keys, rows = np.empty(0, np.uint32), np.empty(0, np.int64)
    for _, fresh, _ in counted(texts, characters):
        keys, which = np.unique(np.concatenate([keys, fresh]), return_inverse=True)
        more = np.concatenate([rows, np.ones(len(fresh), np.int64)])
        rows = np.bincount(which, more, minlength=len(keys)).astype(np.int64)
    kept = np.flatnonzero((rows >= min(LEAST, len(texts) - 1)) & (rows < len(texts)))
    kept = np.sort(kept[np.argsort(-rows[kept], kind="stable")[:most]])
    rarity = 1.0 + np.log((1.0 + len(texts)) / (1.0 + rows[kept]))
    return NgramVocabulary(characters, keys[kept], rarity.astype(np.float16))


def nats_of(model: LinearModel, texts: Sequence[str], targets: Sequence[int]) -> float:
    """Mean of what the right choices cost, in nats."""
    said = model.logprobs(texts)
    return float(-said[np.arange(len(texts)), np.asarray(targets, np.int64)].mean())


def _matrix(known: NgramVocabulary, texts: Sequence[str]) -> Any:
    """The texts' weights as a sparse matrix: [texts, vocabulary]."""
    from scipy.sparse import csr_array

    rows, places, values = known.weighed(texts)
    begins = np.searchsorted(rows, np.arange(len(texts) + 1))
    return csr_array((values.astype(np.float64), places, begins), shape=(len(texts), len(known.keys)))


def _regression(matrix: Any, labels: Ids, strength: float) -> tuple[Any, Singles]:
    """Weights [classes, vocabulary] and biases [classes]; of two classes one row, for the second."""
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=strength, max_iter=ITERATIONS).fit(matrix, labels)
    return found.coef_, found.intercept_.astype(np.float32)


def _constant(choices: tuple[str, ...], known: NgramVocabulary, labels: Ids, spared: float) -> LinearModel:
    """Where the texts say nothing about the choice: how often each choice is right."""
    seen, counts = np.unique(labels, return_counts=True)
    shares = np.log(counts / counts.sum()).astype(np.float32)
    bias = shares[1:] - shares[:1] if len(seen) == 2 else shares
    empty = NgramVocabulary(known.characters, known.keys[:0], known.rarity[:0])
    return LinearModel(choices, empty, seen, np.zeros((0, len(bias)), np.float16), bias, spared)
