"""The study behind the study: every candidate is an Optuna trial, asked and told, in the run's own SQLite file."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.errors import MissingExtra, RunFolderError

MISSED, CHOICES = "missed", "choices"


class Trials:
    """Ask and tell around Optuna: two objectives (cost, loss of quality), constraints by how much each one is missed.

    A trial appears in the file whole, with its point, or not at all: there is never half a trial to repair.

    Args:
        path: the SQLite file. choices: names of the choices for each parameter. seed: of the sampler.

    Raises:
        MissingExtra: Optuna is not installed.
        RunFolderError: the file holds a study over other choices.
    """

    def __init__(self, path: Path, choices: Mapping[str, Sequence[str]], seed: int) -> None:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise MissingExtra("The search", "search", str(error)) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._seed = optuna, seed
        self.choices = {name: list(values) for name, values in choices.items()}
        self._space = {
            name: optuna.distributions.CategoricalDistribution(values) for name, values in self.choices.items()
        }
        self._study = optuna.create_study(
            storage=sqlite_storage(optuna, path),
            sampler=self._sampler(0),  # it samples nothing; it stores the constraints of what is told
            study_name="lighten",
            directions=["minimize", "minimize"],
            load_if_exists=True,
        )
        known = self._study.user_attrs.get(CHOICES)
        if known is None:
            self._study.set_user_attr(CHOICES, json.dumps(self.choices))
        else:
            self._refuse_other(json.loads(known), path)

    def unfinished(self) -> list[tuple[int, dict[str, str]]]:
        """Trials that were asked and never told, as (number, point): a killed run left them."""
        state = self._optuna.trial.TrialState.RUNNING
        return [(t.number, dict(t.params)) for t in self._study.get_trials(deepcopy=False, states=(state,))]

    def point(self, number: int) -> dict[str, str]:
        """Where a trial is."""
        return dict(next(t for t in self._study.get_trials(deepcopy=False) if t.number == number).params)

    def ask(self, point: Mapping[str, str] | None = None) -> tuple[int, dict[str, str]]:
        """A new trial: at ``point``, or where the sampler wants to look. Returns its number and its point.

        Raises:
            ValueError: ``point`` is not among the choices.
        """
        past = self._study.get_trials(deepcopy=False)
        asked = dict(point) if point is not None else self._sampled(past)
        running = self._optuna.trial.TrialState.RUNNING
        self._study.add_trial(
            self._optuna.trial.create_trial(state=running, params=asked, distributions=self._space, values=None)
        )
        number: int = self._study.get_trials(deepcopy=False)[-1].number
        return number, asked

    def tell(self, number: int, cost: float | None, loss: float | None, missed: Sequence[float]) -> None:
        """What became of a trial; telling it again changes nothing.

        Args:
            cost, loss: the objectives; None when the candidate failed.
            missed: by how much each constraint is missed; at most 0 when it is met.
        """
        found = next(t for t in self._study.get_trials(deepcopy=False) if t.number == number)
        if found.state.is_finished():
            return
        if cost is None or loss is None:
            self._study.tell(number, state=self._optuna.trial.TrialState.FAIL)
            return
        trial = self._optuna.trial.Trial(self._study, found._trial_id)
        trial.set_user_attr(MISSED, [float(m) for m in missed])
        self._study.tell(number, [cost, loss])

    def _sampled(self, past: Sequence[Any]) -> dict[str, str]:
        """Where the sampler wants to look, from the past trials alone.

        It is asked in a copy of the study in memory, seeded by how many trials there were, so that a resumed run asks
        what an uninterrupted one would.
        """
        copy = self._optuna.create_study(directions=["minimize", "minimize"], sampler=self._sampler(len(past)))
        copy.add_trials(past)
        return dict(copy.ask(fixed_distributions=self._space).params)

    def _sampler(self, told: int) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna 4 calls these two experimental, Optuna 5 the last deprecated
            return self._optuna.samplers.TPESampler(
                seed=self._seed * 100_003 + told, n_startup_trials=4, multivariate=True, constraints_func=_missed
            )

    def _refuse_other(self, old: Mapping[str, Sequence[str]], path: Path) -> None:
        if old == self.choices:
            return
        before, now = ({f"{n}: {v}" for n, values in c.items() for v in values} for c in (old, self.choices))
        changes = [
            f"{len(more)} {word} ({sorted(more)[0]}{', ...' if len(more) > 1 else ''})"
            for word, more in (("new", now - before), ("gone", before - now))
            if more
        ]
        raise RunFolderError(
            f"--resume: what can be tried here is not what it was when {path} was begun: "
            f"{'; '.join(changes) or 'the order changed'}.",
            fix="use the packages, engines and version of lighten that the run was begun with, or give another --out",
        )


def sqlite_storage(optuna: Any, path: Path) -> Any:
    """Optuna's storage in an SQLite file, which is made when it does not exist."""
    file = path.resolve()

    def connect() -> sqlite3.Connection:  # in an address, a path with ? or { } would be read as something else
        return sqlite3.connect(file, timeout=30, check_same_thread=False)

    return optuna.storages.RDBStorage("sqlite:///study.db", engine_kwargs={"creator": connect})


def _missed(trial: Any) -> Sequence[float]:
    found: Sequence[float] = trial.user_attrs.get(MISSED, [0.0])
    return found
