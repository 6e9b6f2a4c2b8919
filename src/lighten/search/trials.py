"""The study behind the study: every candidate is an Optuna trial, asked and told, in the run's own SQLite file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.errors import MissingExtra

MISSED = "missed"


class Trials:
    """Ask and tell around Optuna: two objectives (cost, loss of quality), constraints by how much each one is missed.

    Args:
        path: the SQLite file. choices: names of the choices for each parameter. seed: of the sampler.
    """

    def __init__(self, path: Path, choices: Mapping[str, Sequence[str]], seed: int) -> None:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise MissingExtra("The search", "search", str(error)) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._seed = optuna, seed
        self.choices = {name: list(values) for name, values in choices.items()}
        self._study = optuna.create_study(
            storage=optuna.storages.RDBStorage(f"sqlite:///{path}"),
            study_name="lighten",
            directions=["minimize", "minimize"],
            load_if_exists=True,
        )
        self._asked: dict[int, Any] = {}

    def unfinished(self) -> list[tuple[int, dict[str, str]]]:
        """Trials that were asked and never told, as (number, point): a killed run left them."""
        state = self._optuna.trial.TrialState.RUNNING
        return [(t.number, dict(t.params)) for t in self._study.get_trials(deepcopy=False, states=(state,))]

    def ask(self, point: Mapping[str, str] | None = None) -> tuple[int, dict[str, str]]:
        """A new trial: at ``point``, or where the sampler wants to look. Returns its number and its point."""
        samplers = self._optuna.samplers
        told = len(self._study.get_trials(deepcopy=False))
        # The seed follows from the number of trials, so that a resumed run asks what an uninterrupted one would.
        self._study.sampler = samplers.TPESampler(
            seed=self._seed * 100_003 + told, n_startup_trials=4, multivariate=True, constraints_func=_missed
        )
        if point is not None:
            self._study.enqueue_trial(dict(point))
        trial = self._study.ask()
        asked = {name: trial.suggest_categorical(name, values) for name, values in self.choices.items()}
        self._asked[trial.number] = trial
        return trial.number, asked

    def tell(self, number: int, cost: float | None, loss: float | None, missed: Sequence[float]) -> None:
        """What became of a trial.

        Args:
            cost, loss: the objectives; None when the candidate failed.
            missed: by how much each constraint is missed; at most 0 when it is met.
        """
        if cost is None or loss is None:
            self._study.tell(number, state=self._optuna.trial.TrialState.FAIL, skip_if_finished=True)
            return
        trial = self._asked.get(number) or self._optuna.trial.Trial(self._study, self._id_of(number))
        trial.set_user_attr(MISSED, [float(m) for m in missed])
        self._study.tell(number, [cost, loss], skip_if_finished=True)

    def _id_of(self, number: int) -> int:
        found: int = next(t._trial_id for t in self._study.get_trials(deepcopy=False) if t.number == number)
        return found


def _missed(trial: Any) -> Sequence[float]:
    found: Sequence[float] = trial.user_attrs.get(MISSED, [0.0])
    return found
