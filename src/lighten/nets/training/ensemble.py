"""Ensemble: the probabilities of several models as one; numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def averaged(answers: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """The mean of several models' probabilities, as logits that add up to 0 in each row.

    Args:
        answers: logits [rows, classes] of each.
    """
    logs = [_log_probabilities(one.astype(np.float64)) for one in answers]
    highest = np.max(logs, axis=0)
    mean = highest + np.log(np.mean([np.exp(one - highest) for one in logs], axis=0))
    found: NDArray[np.float32] = (mean - mean.mean(axis=1, keepdims=True)).astype(np.float32)
    return found


def _log_probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-softmax of each row."""
    lowered = logits - logits.max(axis=1, keepdims=True)
    found: NDArray[np.float64] = lowered - np.log(np.exp(lowered).sum(axis=1, keepdims=True))
    return found
