"""Several tasks of one classifier: each class belongs to one of them, and a row asks for the classes of its own.

``heads`` has the number of the task of each class, in the order of the outputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.prediction import Prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FAR = -1e4
"""Logit of a class that a row does not ask for."""


def columns_of(heads: Sequence[int]) -> list[list[int]]:
    """The classes of each task."""
    return [[column for column, own in enumerate(heads) if own == head] for head in sorted(set(heads))]


def own_logits(logits: Tensor, targets: Tensor, heads: Sequence[int]) -> Tensor:
    """Logits [batch, classes] with ``FAR`` for the classes of other tasks than the target's. targets: [batch] int64."""
    return logits.masked_fill(~_own(targets, heads), FAR)


def evenly(logits: Tensor, targets: Tensor, heads: Sequence[int]) -> Tensor:
    """Mean loss against every class of the target's task alike, a scalar."""
    own = _own(targets, heads)
    logs = own_logits(logits, targets, heads).log_softmax(-1).masked_fill(~own, 0.0)
    return -(logs.sum(-1) / own.sum(-1)).mean()


def own_outputs(outputs: NDArray[Any], targets: Sequence[int], heads: Sequence[int]) -> NDArray[Any]:
    """As :func:`own_logits`, of answers [n, classes]."""
    every = np.asarray(heads)
    return np.where(every[np.asarray(targets, np.int64)][:, None] == every, outputs, FAR)


def most_frequent_of_each(targets: Sequence[int], heads: Sequence[int]) -> list[int]:
    """The class of each task that most targets are."""
    counts = Counter(targets)
    return [max(columns, key=lambda column: counts[column]) for columns in columns_of(heads)]


def joined(each: Sequence[Sequence[Prediction]]) -> list[Prediction]:
    """One prediction of each row. each: by task, then by row."""
    return [
        Prediction(", ".join(one.label for one in row), {name: p for one in row for name, p in one.scores.items()})
        for row in zip(*each, strict=True)
    ]


def _own(targets: Tensor, heads: Sequence[int]) -> Tensor:
    """Whether each class is one of the target's task: [batch, classes] bool."""
    import torch

    every = torch.tensor(heads)
    own: Tensor = every[targets][:, None] == every
    return own
