"""A result of a training, made up, for the tests of what is said of one."""

from __future__ import annotations

from dataclasses import replace

from lighten.core.sweep import FAILED, FINISHED, STOPPED, Range, SweepRecord, TrialRecord
from lighten.core.training import CurvePoint, ProofScore, TrainingCost, TrainingResult


def result(**changed: object) -> TrainingResult:
    """A classifier of texts after ten updates. changed: fields that are to be otherwise."""
    curve = tuple(
        CurvePoint(n, 10 * n, n / 5, 1e-4, float(n), float(n), loss=1 / n, rows_per_second=40.0) for n in range(1, 11)
    )
    judged = (CurvePoint(5, 50, 1.0, 1e-4, 5.0, 5.0, score=0.8, tune_loss=0.5),)
    made = TrainingResult(
        model="<b>net</b>", data="d.csv", task="text_classification", noun="rows", settings={"batch": 32},
        measure="accuracy", direction="higher", shares=True, precision="bf16", rows={"train": 100, "proof": 50},
        learned=100, planned=100, steps=10, epochs=2.0, parameters=1000, curve=(*curve, *judged), best=0.8,
        cost=TrainingCost(75.0, 140.0, 40.0, 500_000_000, money=0.5, rate=0.46),
        proof=(
            ProofScore("accuracy", "fraction", "higher", 0.8123, 50, 0.71, 0.88),
            ProofScore("calibration_error", "fraction", "lower", 0.1, 50),
            ProofScore("accuracy", "fraction", "higher", 0.7, 20, 0.6, 0.8, group="west"),
        ),
        opened=(0, 0), notes=("a note",), stopped=0, environment={"cpu": "some"},
        paths={"model": "runs/t/model", "report": "runs/t/report.html"},
        command="lighten train", started="2026-11-30T00:00:00+00:00", lighten="0", seed=0, threads=2,
        labels=("<script>",),
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


SWEEP = SweepRecord(
    asked=5,
    trials=(
        TrialRecord(1, {"learning_rate": 1e-4, "batch_rows": 32}, FINISHED, 0.8, 0.5, 1.0, 2.5, 60.0),
        TrialRecord(2, {"learning_rate": 3.4567e-5, "batch_rows": 64}, STOPPED, 0.7, 0.6, 1 / 6, 0.5, 10.0, "At 17%."),
        TrialRecord(3, {"learning_rate": 2.1e-3, "batch_rows": 8}, FAILED, None, None, 0.05, 0.0, 5.0, "<b>NaN</b>"),
        TrialRecord(4, {"learning_rate": 2.2e-4, "batch_rows": 16}, FINISHED, 0.85, 0.4, 1.0, 1.5, 62.0),
    ),
    winner=4,
    ranges={"learning_rate": Range(2e-5, 5e-4, log=True), "batch_rows": Range(choices=(8, 16, 32, 64, 128))},
    given={"dropout": 0.1},
    judged=500,
    importance={"learning_rate": 0.7, "batch_rows": 0.3},
    method="fANOVA",
    at=1 / 6,
    seconds=137.0,
    cpu_seconds=260.0,
    learned=118,
)
"""A search of four trials: the default, one that was stopped, one that came apart, and the best."""
