"""From logits to probabilities and tokens: what every engine for language models does after its runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import BuildFailed
from lighten.core.language import Sampling


def log_softmax_at(
    logits: NDArray[np.float32], rows: NDArray[Any], tokens: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Log-probability of single tokens, and the most likely token of each row.

    Args:
        logits: [places, vocabulary]. rows, tokens: [n] which place, which token.

    Returns:
        float64 [n] nats; int32 [places].
    """
    best = np.empty(len(logits), np.int32)
    normal = np.empty(len(logits))
    work = np.empty(logits.shape[1], np.float32)
    for place, row in enumerate(logits):  # row by row, because a row stays in the cache and the whole does not
        best[place] = row.argmax()
        np.subtract(row, row[best[place]], out=work)
        np.exp(work, out=work)
        normal[place] = float(row[best[place]]) + np.log(work.sum(dtype=np.float64))
    return logits[rows, tokens].astype(np.float64) - normal[rows], best


REACH = 16.0
"""Nats below the most likely token within which a draw is looked for first: of a large vocabulary few tokens are."""


def chosen(logits: NDArray[np.float32], sampling: Sampling, random: np.random.Generator) -> int:
    """The next token: the most likely one, or one drawn by the inverse of the distribution, the likeliest first.

    Only as many tokens are sorted as the draw needs, which changes nothing of it.

    Args:
        logits: [vocabulary]; minus infinity for what may not come.

    Raises:
        BuildFailed: the logits are no numbers.
    """
    if sampling.temperature <= 0:
        likeliest = int(logits.argmax())
        _check_number(float(logits[likeliest]))  # where one is no number, it is this one
        return likeliest
    wide = logits.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (wide - wide.max()) / sampling.temperature
    weights = np.exp(scaled)
    total = float(weights.sum())
    _check_number(total)
    drawn, reach = float(random.random()), REACH
    while True:
        near = np.flatnonzero(weights >= np.exp(-reach))
        order = near[np.argsort(-weights[near])]
        shares = np.cumsum(weights[order]) / total
        held = float(shares[-1])
        whole = len(near) == len(weights)
        kept = int(np.searchsorted(shares, sampling.top_p)) + 1
        # Where all of it may come, only the draw says how far to look.
        mass = min(float(shares[min(kept, len(shares)) - 1]), 1.0) if held >= sampling.top_p or whole else 1.0
        if whole or ((held >= sampling.top_p or sampling.top_p >= 1.0) and drawn * mass < held):
            place = int(np.searchsorted(shares[:kept], drawn * mass, side="right"))
            return int(order[min(place, kept - 1, len(order) - 1)])
        reach *= 8.0


def _check_number(value: float) -> None:
    if np.isnan(value):
        raise BuildFailed("The model's logits are no numbers.", fix="take a model of higher precision")


def most_likely(logits: NDArray[np.float32], token: int, count: int) -> tuple[float, list[tuple[int, float]]]:
    """Log-probability of one token, and the ``count`` most likely ones with theirs, in nats, the likeliest first.

    Args:
        logits: [vocabulary].
    """
    wide = logits.astype(np.float64)
    highest = float(wide.max())
    normal = highest + float(np.log(np.exp(wide - highest).sum()))
    count = min(count, len(wide))
    top = np.argpartition(logits, len(logits) - count)[len(logits) - count :] if count else np.empty(0, int)
    order = top[np.argsort(-wide[top], kind="stable")]
    return float(wide[token]) - normal, [(int(one), float(wide[one]) - normal) for one in order]
