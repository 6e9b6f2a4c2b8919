"""What became of a training: its curve, its cost, and what the trained model is worth on rows that nothing has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lighten.core.artifact import RECORD
from lighten.core.outcome import Constant
from lighten.core.sweep import SweepRecord

VERSION = 1
"""Of ``result.json``."""
MODEL, RESULT, SCALARS = "model", "result.json", "scalars.jsonl"
"""What lies in the folder of a training: what came out, what became of it, and its curve while it is going on."""


def model_of_run(path: Path) -> Path:
    """The trained model in the folder of a training; any other path as it is."""
    return path / MODEL if (path / RESULT).is_file() and (path / MODEL / RECORD).is_file() else path


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One stretch of updates, or one evaluation on ``tune``.

    Attributes:
        step: updates done. rows: learned from so far. epoch: passes done.
        loss: mean training loss since the point before; None of an evaluation.
        learning_rate: of the last update.
        rows_per_second: over the stretch; None of an evaluation.
        score, tune_loss: on ``tune``; None between evaluations.
        seconds, cpu_seconds: since the beginning, all sittings together.
    """

    step: int
    rows: int
    epoch: float
    learning_rate: float
    seconds: float
    cpu_seconds: float
    loss: float | None = None
    rows_per_second: float | None = None
    score: float | None = None
    tune_loss: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """What a training took, all sittings together.

    Attributes:
        seconds: by the clock, evaluations and checkpoints included. cpu_seconds: of all cores.
        rows_per_second: learned from, evaluations left out. resumed: whether there were several sittings.
        memory: most bytes that its process held, of several added up. joules: of the processor, of everything that ran
            on it meanwhile; None where they cannot be read, for the reason ``energy_note``.
        money: at the price of an hour that was given, for the search before it and the grid after it, too; None without
            one.
        arithmetic: floating-point operations; rate: share of what matrix products reach on this machine in the same
            precision and with the same threads, while updates were made; None where that was not measured.
    """

    seconds: float
    cpu_seconds: float
    rows_per_second: float
    memory: int
    resumed: bool = False
    joules: float | None = None
    energy_note: str = ""
    money: float | None = None
    arithmetic: float | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class ProofScore:
    """What the trained model is worth by one quantity on ``proof``.

    Attributes:
        metric, unit, direction, n: as in a ``Result``. lower, upper: bounds of 95 % each; None where nobody knows them.
        group: of the rows; empty for all.
    """

    metric: str
    unit: str
    direction: str
    value: float
    n: int
    lower: float | None = None
    upper: float | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class GridCell:
    """What a model that was trained on one group alone is worth on a group of ``proof``.

    Attributes:
        trained_on: name of the group. score: on the group that it names, by the task's first metric.
    """

    trained_on: str
    score: ProofScore


@dataclass(frozen=True, slots=True)
class Compared:
    """A model beside the trained one, or that one itself, on ``proof``.

    Attributes:
        kind: ``trained``, ``teacher``, ``ensemble`` of all teachers, ``before`` training; ``attacked`` and
            ``before_attacked`` where inputs were moved against it. name: as the user gave it; empty for none.
        score: by the task's first metric. seconds: that its answers took, once, on this machine; of an ensemble the
            sum.
    """

    kind: str
    name: str
    score: ProofScore
    seconds: float | None = None


@dataclass(frozen=True)
class TrainingResult:
    """What one call of ``lighten train`` did.

    Attributes:
        state: ``trained``.
        model, data, task: as the user gave them; noun: what rows are counted in (rows, tokens).
        settings: that it was trained with; measure: quantity of the scores on ``tune``; direction: which way it is
            better; shares: whether it is a share. precision: what was computed with.
        rows: in each part of the data. learned: rows learned from, repeats counted. planned: as planned.
        steps, epochs: done. parameters: of the model.
        curve: losses and scores. best: score on ``tune`` of the weights that were kept; None after a search, whose last
            training learns from ``tune``, too.
        cost: what it took. proof: scores on ``proof``; opened: how many of its rows were opened before, by how many.
        notes: what is worth knowing, one sentence each.
        stopped: evaluations in a row that brought nothing, by which it ended before its plan; 0 where it did not.
        sweep: the search for its settings; None without one.
        environment: the machine. paths: of what was written. started: ISO 8601. lighten: version. seed, threads: used.
        compared: the trained model beside its teachers and their ensemble, and under attack; empty where nobody asked.
        constant: an answer that needs no model, and that the trained one is not shown to be better than on ``proof``;
            None where it is.
        workers: processes that trained together on these threads.
        grid: scores on every group of models that were trained on one group alone; empty where nobody asked for it.
        grid_seconds, grid_cpu_seconds: what the trainings of the grid took together, by the clock and of all cores;
            they are not in ``cost``.
    """

    model: str
    data: str
    task: str
    noun: str
    settings: Mapping[str, Any]
    measure: str
    direction: str
    shares: bool
    precision: str
    rows: Mapping[str, int]
    learned: int
    planned: int
    steps: int
    epochs: float
    parameters: int
    curve: tuple[CurvePoint, ...]
    best: float | None
    cost: TrainingCost
    proof: tuple[ProofScore, ...]
    opened: tuple[int, int]
    notes: tuple[str, ...]
    stopped: int
    environment: Mapping[str, Any]
    paths: Mapping[str, str]
    command: str
    started: str
    lighten: str
    seed: int
    threads: int
    labels: tuple[str, ...] = ()
    grid: tuple[GridCell, ...] = ()
    grid_seconds: float = 0.0
    grid_cpu_seconds: float = 0.0
    compared: tuple[Compared, ...] = ()
    workers: int = 1
    sweep: SweepRecord | None = None
    constant: Constant | None = None
    state: str = "trained"
    version: int = field(default=VERSION)

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TrainingResult:
        """What :meth:`to_json` gave.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        values = dict(record)
        values["curve"] = tuple(CurvePoint(**point) for point in record["curve"])
        values["proof"] = tuple(ProofScore(**one) for one in record["proof"])
        values["grid"] = tuple(
            GridCell(one["trained_on"], ProofScore(**one["score"])) for one in record.get("grid", ())
        )
        values["compared"] = tuple(
            Compared(**{**one, "score": ProofScore(**one["score"])}) for one in record.get("compared", ())
        )
        values["cost"] = TrainingCost(**record["cost"])
        values |= {name: tuple(record[name]) for name in ("opened", "notes", "labels")}
        values["constant"] = Constant(**record["constant"]) if record.get("constant") else None
        values["sweep"] = SweepRecord.from_json(record["sweep"]) if record.get("sweep") else None
        return cls(**values)
