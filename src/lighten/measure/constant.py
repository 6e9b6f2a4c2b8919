"""Whether a model is worth anything: it is compared with the one answer that needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lighten.core.budget import Constraint
from lighten.core.meter import QualityMeter
from lighten.core.outcome import Constant
from lighten.core.rows import Rows
from lighten.core.task import Task
from lighten.measure.quality import meter_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def weigh_against_constant(
    task: Task,
    meters: Mapping[str, QualityMeter],
    answers: NDArray[Any],
    rows: Rows,
    labels: Sequence[str],
    *,
    learned: Rows,
    part: str,
    seed: int,
) -> Constant | None:
    """The constant answer, where the model is not shown to be right more often; None where it is, or nothing is right.

    Both are judged as a finalist of a run is: paired, over independent units, at 95 %, without a margin.

    Args:
        answers: [n, columns], of the model to ``rows``. learned: rows that say which answer is frequent.
        part: where the rows are from, for the record.
    """
    known = task.constant(learned, rows, labels)
    if known is None:
        return None
    answer, outputs = known
    metric = task.metrics[0]
    better = Constraint(metric, 0.0, "points", f"{metric} above a constant answer's")
    found = meter_of(meters, metric)[0].judge(outputs, answers, rows, better, seed)
    if found.holds:
        return None
    values = (found.original, found.candidate, found.lower, found.upper)
    return Constant(answer, metric, part, found.n, *values, state=found.state)
