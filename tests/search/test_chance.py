"""The chance to hold on proof agrees with a simulation, and grows with quality and with rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lighten.core.budget import Budget
from lighten.core.result import HIGHER, Candidate, Quantity, Result
from lighten.core.rows import Rows
from lighten.meters.accuracy import Accuracy
from lighten.proof.paired import tango_interval
from lighten.search.chance import chance
from lighten.tasks.text_classification import TextClassification

ACCURACY = {q.name: q for q in Accuracy.quantities}
SPEED = Quantity("rows_per_second", "rows/s", HIGHER, "")


def candidate(key: int, value: float) -> Candidate:
    seen = Result("id", "ort", "cpu", "accuracy", value, "", HIGHER, 1)
    return Candidate(key=key, name=str(key), recipe=(), engine="ort", state="ok", results={"accuracy": seen})


def run(select: int, proof: int, broke: int, mended: int, margin: str = "-1pt") -> tuple[Any, Candidate, Candidate]:
    """A run whose candidate 1 breaks and mends so many of the select rows that candidate 0 answers."""
    right = np.arange(select) >= mended  # candidate 0 is wrong on the first rows
    other = np.arange(select) < select - broke  # candidate 1 on the last ones

    def answers(key: int, part: str) -> Any:
        of = right if key == 0 else other
        return np.stack([~of, of], axis=1).astype(np.float32)

    rows = {"select": Rows(("",) * select, (1,) * select), "proof": Rows(("",) * proof, (1,) * proof)}
    budget = Budget.parse([f"accuracy>={margin}"], [], "throughput", quality=ACCURACY.values(), speed=[SPEED])
    study = SimpleNamespace(answers=answers)
    made = SimpleNamespace(
        parts=SimpleNamespace(**rows),
        folder=SimpleNamespace(study=study),
        task=TextClassification(),
        budget=budget,
        quality={"accuracy": Accuracy()},
    )
    return made, candidate(1, float(other.mean())), candidate(0, float(right.mean()))


def found(*asked: Any) -> float:
    made, one, original = run(*asked)
    return chance(made, one, original, ACCURACY)


def test_grows_with_quality_and_with_rows() -> None:
    assert found(2000, 5000, 100, 60) < found(2000, 5000, 100, 80) < found(2000, 5000, 100, 100)
    assert found(2000, 500, 60, 60) < found(2000, 5000, 60, 60) < found(2000, 50000, 60, 60)
    assert found(2000, 5000, 100, 100) < found(2000, 5000, 20, 20)
    assert found(2000, 5000, 100, 100) < found(2000, 5000, 100, 100, "-2pt")
    assert found(2000, 5000, 200, 50) < 0.01 and found(2000, 5000, 0, 0) > 0.99


@pytest.mark.parametrize(("broke", "mended"), [(100, 100), (100, 85), (60, 50)])
def test_agrees_with_a_simulation(broke: int, mended: int) -> None:
    """What select shows is drawn around the truth, and proof around the truth again."""
    rng, select, proof, held = np.random.default_rng(0), 2000, 5000, 0
    for _ in range(2000):
        b, c, _ = rng.dirichlet((broke, mended, select - broke - mended))
        lost, won, _ = rng.multinomial(proof, (b, c, 1 - b - c))
        held += tango_interval(int(lost), int(won), proof)[0] > -0.01
    assert found(select, proof, broke, mended) == pytest.approx(held / 2000, abs=0.06)


def test_a_meter_without_an_estimate_of_its_own_is_told_by_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    own = found(2000, 5000, 100, 85)
    monkeypatch.setattr(Accuracy, "outlook", lambda *_: ())
    assert found(2000, 5000, 100, 85) == pytest.approx(own, abs=0.05)  # its own is one of disagreement
    assert found(2000, 5000, 100, 60) < found(2000, 5000, 100, 80) < found(2000, 5000, 100, 100)
    assert found(2000, 5000, 200, 50) < 0.01 and found(2000, 5000, 0, 0) > 0.99
