"""Answers of made-up models, and meters applied to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core import catalog
from lighten.core.budget import Constraint
from lighten.core.result import Measured
from lighten.core.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def measured(
    meter: str,
    outputs: NDArray[Any] | Sequence[Sequence[float]],
    targets: Sequence[int],
    groups: Sequence[str] = (),
    original: NDArray[Any] | None = None,
) -> Measured:
    """What a quality meter of one quantity says. outputs, original: [n, classes] logits; targets, groups: [n]."""
    rows = Rows(tuple(map(str, targets)), tuple(targets), tuple(groups))
    (found,) = catalog.load("meters", meter)().measure(np.asarray(outputs, dtype=np.float32), rows, original).values()
    assert isinstance(found, Measured)
    return found


def sure(classes: Sequence[int], count: int = 3) -> NDArray[np.float32]:
    """[n, count] logits that are 1 for the given class of each row and 0 for the others."""
    return np.eye(count, dtype=np.float32)[list(classes)]


def noisy(seed: int, n: int = 500) -> tuple[NDArray[np.float32], list[int]]:
    """[n, 4] random logits that are right more often than not, and targets of which one class is rare."""
    rng = np.random.default_rng(seed)
    targets = rng.choice(4, n, p=[0.6, 0.25, 0.1, 0.05])
    outputs = rng.normal(size=(n, 4)).astype(np.float32) * 2
    outputs[np.arange(n), targets] += 1.5
    return outputs, targets.tolist()


def probabilities(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """Softmax of [n, classes] logits."""
    raised = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def within(metric: str, loss: float) -> Constraint:
    """A floor that allows this loss against the original, in the metric's unit."""
    return Constraint(metric, loss, "points", f"{metric} within {loss:g}")


def in_documents(meter: str) -> tuple[float, float]:
    """Lower bounds of a meter's verdict on the same twelve broken rows: each row on its own, and twelve to a document.

    The second must be the lower one: a hundred documents prove less than 1,200 independent rows.
    """
    n = 1200
    before, after = sure([1] * n, 2), sure([0] * 12 + [1] * (n - 12), 2)
    alone = Rows(("x",) * n, (1,) * n, tuple("ab"[i % 2] for i in range(n)))
    together = Rows(alone.inputs, alone.targets, alone.groups, tuple(f"document {i // 12}" for i in range(n)))
    judge, floor = catalog.load("meters", meter)().judge, within(meter, 0.02)
    rows, documents = (judge(before, after, some, floor, 0) for some in (alone, together))
    assert (rows.units, documents.units) == (rows.n, 100)
    return rows.lower, documents.lower
