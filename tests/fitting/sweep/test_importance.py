"""Which settings matter: found where scores follow one of them, not asked where there is too little to see."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from lighten.fitting.sweep.importance import LEAST, importance_of


def study(values: list[tuple[float, float, float]]) -> Any:
    """A study of trials (rate, decay, score)."""
    made = optuna.create_study(direction="maximize")
    space = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in ("rate", "decay")}
    for rate, decay, score in values:
        made.add_trial(
            optuna.trial.create_trial(params={"rate": rate, "decay": decay}, distributions=space, value=score)
        )
    return made


POINTS = [(n / 20, (7 * n % 20) / 20, n / 20) for n in range(20)]


def test_what_the_scores_follow_matters_most() -> None:
    found, method = importance_of(study(POINTS))
    assert method == "fANOVA" and sum(found.values()) == pytest.approx(1.0)
    assert next(iter(found)) == "rate"


def test_another_method_where_a_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: object) -> None:
        raise ImportError("no scikit-learn")

    monkeypatch.setattr(optuna.importance, "FanovaImportanceEvaluator", missing)
    found, method = importance_of(study(POINTS))
    assert method == "PED-ANOVA" and set(found) == {"rate", "decay"}


def test_with_too_little_to_see_nothing_is_said() -> None:
    assert importance_of(study(POINTS[: LEAST - 1])) == ({}, "")
    assert importance_of(study([(rate, decay, 0.5) for rate, decay, _ in POINTS])) == ({}, "")
