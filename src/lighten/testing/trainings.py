"""A result of a training, made up, for the tests of what is said of one."""

from __future__ import annotations

from dataclasses import replace

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
