"""The study of a sweep: Optuna proposes settings and says which trial is hopeless; what is finished is in a file.

A trial is in the file whole, with all that became of it, or not at all. What is proposed follows from the finished
trials and the seed alone, so a sweep that was killed and taken up tries what it would have tried.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lighten.core.errors import MissingExtra, RunFolderError
from lighten.core.sweep import FINISHED, Range, TrialRecord
from lighten.search.trials import sqlite_storage

FILE = "trials.db"
"""In the folder of a run; any tool that reads Optuna's studies reads it."""
RANGES, RECORD = "ranges", "record"
PERCENT = 100
"""Optuna counts how far a trial is in whole numbers: per cent of its training."""
FIRST_RUNG, REDUCTION = 16, 3
"""Per cent of its training after which a trial is first compared with the others, and of how many one goes on; the next
time it is that many times later (Li et al. 2018, ASHA)."""
AT_RANDOM = 8
"""Trials whose settings are drawn at random, before the sampler models them (TPE)."""


class SweepStudy:
    """Ask and tell around Optuna, one objective: the score on ``tune``, higher is better.

    Args:
        path: the SQLite file; made when it does not exist. ranges: what is searched. seed: of the sampler.
        first: settings of the first trial.

    Raises:
        MissingExtra: Optuna is not installed.
        RunFolderError: the file holds a sweep over something else.
    """

    def __init__(self, path: Path, ranges: Mapping[str, Range], seed: int, first: Mapping[str, Any]) -> None:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise MissingExtra("--search", "search", str(error)) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._seed, self._first = optuna, seed, dict(first)
        self._space = {name: _distribution(optuna, one) for name, one in ranges.items()}
        self._study = optuna.create_study(
            storage=sqlite_storage(optuna, path), study_name="lighten", direction="maximize", load_if_exists=True
        )
        told = json.loads(json.dumps({name: asdict(one) for name, one in ranges.items()}))
        known = self.recall(RANGES)
        if known is None:
            self.remember(RANGES, told)
        elif known != told:
            changed = [name for name in sorted({*known, *told}) if known.get(name) != told.get(name)]
            raise RunFolderError(
                f"--resume: the search in {path} was begun over other values of {', '.join(changed)}.",
                fix="use the model, options and version of lighten that it was begun with, or give another --out",
            )

    def remember(self, name: str, value: Any) -> None:
        """Keep a plain value."""
        self._study.set_user_attr(name, json.dumps(value))

    def recall(self, name: str, default: Any = None) -> Any:
        """The value under a name."""
        found = self._study.user_attrs.get(name)
        return default if found is None else json.loads(found)

    def records(self) -> list[TrialRecord]:
        """Every finished, stopped or failed trial."""
        return [TrialRecord(**json.loads(one.user_attrs[RECORD])) for one in self._trials()]

    def begin(self) -> Trial:
        """The next trial: the settings that suit the model, then what the sampler proposes."""
        past = self._trials()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of these are experimental in one Optuna, deprecated in the next
            copy = self._optuna.create_study(
                direction="maximize",
                sampler=self._optuna.samplers.TPESampler(
                    seed=self._seed * 100_003 + len(past), n_startup_trials=AT_RANDOM, multivariate=True
                ),
                pruner=self._optuna.pruners.SuccessiveHalvingPruner(
                    min_resource=FIRST_RUNG, reduction_factor=REDUCTION
                ),
            )
            copy.add_trials(past)
            if not past:
                copy.enqueue_trial(self._first)
            return Trial(copy.ask(self._space), len(past) + 1)

    def tell(self, trial: Trial, record: TrialRecord) -> None:
        """What became of a trial."""
        states = self._optuna.trial.TrialState
        frozen = trial.frozen()
        done = record.state == FINISHED
        self._study.add_trial(
            self._optuna.trial.create_trial(
                # One that failed counts as the worst of those that were stopped, so that the sampler learns of it.
                state=states.COMPLETE if done else states.PRUNED,
                value=record.score if done else None,
                params=frozen.params,
                distributions=frozen.distributions,
                system_attrs=frozen.system_attrs,
                intermediate_values=frozen.intermediate_values if record.state != "failed" else {},
                user_attrs={RECORD: json.dumps(asdict(record))},
            )
        )

    def compared(self) -> tuple[Any, float]:
        """A study in memory of what every trial scored where all were first compared, and the share of the training at
        which that was: stopped trials count as finished ones do."""
        copy = self._optuna.create_study(direction="maximize")
        at = 0
        for one in self._trials():
            steps = [step for step in sorted(one.intermediate_values) if step >= FIRST_RUNG]
            if steps:
                at = max(at, steps[0])
                copy.add_trial(
                    self._optuna.trial.create_trial(
                        value=one.intermediate_values[steps[0]], params=one.params, distributions=one.distributions
                    )
                )
        return copy, at / PERCENT

    def _trials(self) -> list[Any]:
        found: list[Any] = self._study.get_trials(deepcopy=False)
        return found


class Trial:
    """A trial that is being trained.

    Attributes:
        number: from 1. settings: of it.
    """

    def __init__(self, asked: Any, number: int) -> None:
        self._asked, self.number = asked, number
        self.settings: dict[str, Any] = dict(asked.params)

    def is_hopeless(self, fraction: float, value: float) -> bool:
        """Whether it is stopped, after ``value`` on ``tune`` at ``fraction`` of its training."""
        self._asked.report(value, int(PERCENT * fraction))
        return fraction < 1.0 and bool(self._asked.should_prune())

    def frozen(self) -> Any:
        """All that Optuna knows of it."""
        return self._asked.study.get_trials(deepcopy=False)[-1]


def _distribution(optuna: Any, one: Range) -> Any:
    if one.choices:
        return optuna.distributions.CategoricalDistribution(one.choices)
    if one.whole:
        return optuna.distributions.IntDistribution(int(one.low), int(one.high))
    return optuna.distributions.FloatDistribution(one.low, one.high, log=one.log, step=one.step or None)
