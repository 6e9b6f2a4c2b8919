"""Importance: how much each setting has to do with how much the scores of the trials differ."""

from __future__ import annotations

import warnings
from typing import Any

LEAST = 8
"""Trials from which that is asked."""


def importance_of(study: Any) -> tuple[dict[str, float], str]:
    """Shares by setting, the largest first, and the method: fANOVA (Hutter et al. 2014), which needs scikit-learn, or
    PED-ANOVA (Watanabe et al. 2023). Empty with too few trials, or where their scores do not differ.

    Args:
        study: an Optuna study whose trials are finished.
    """
    import optuna

    trials = study.get_trials(deepcopy=False)
    if len(trials) < LEAST or len({one.value for one in trials}) < 2:
        return {}, ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of them is experimental in some versions
        evaluator, method = _evaluator(optuna.importance)
        try:
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except (ValueError, RuntimeError):  # no setting was tried with two values
            return {}, ""
    return {name: float(value) for name, value in found.items()}, method


def _evaluator(importance: Any) -> tuple[Any, str]:
    try:
        return importance.FanovaImportanceEvaluator(seed=0), "fANOVA"
    except ImportError:
        return importance.PedAnovaImportanceEvaluator(), "PED-ANOVA"
