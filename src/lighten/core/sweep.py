"""What became of a hyper-parameter search: what was searched, every trial, which one won, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
"""Trained to its end; stopped because others were better at the same point; its training came apart."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a hyperparameter may be: a number within bounds, or one of some values.

    Attributes:
        low, high: both allowed. log: whether it is drawn evenly on a logarithmic scale. step: between two values; 0 for
            any. whole: whether it is a whole number.
        choices: the values, in their order; empty of a number within bounds.
    """

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float = 0.0
    whole: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One training of a search.

    Attributes:
        number: from 1; 1 is what lighten trains with when nothing is searched.
        settings: what was searched, by the names of hyperparameters.
        state: ``finished``, ``stopped`` or ``failed``, for the ``reason``.
        score, loss: the best on ``tune``; None where nothing was judged.
        fraction: of its training that was done. epochs: passes over the training rows up to the best score.
        seconds: that it took.
    """

    number: int
    settings: Mapping[str, Any]
    state: str
    score: float | None
    loss: float | None
    fraction: float
    epochs: float
    seconds: float
    reason: str = ""

    @property
    def rank(self) -> tuple[float, float]:
        """The larger, the better: of equal scores the lower loss."""
        assert self.score is not None and self.loss is not None
        return self.score, -self.loss


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """A hyper-parameter search.

    Attributes:
        asked: trials that the user asked for; fewer were made where the time was over.
        trials: all that were made. winner: number of the best.
        ranges: what was searched. given: what the user fixed, by the names of hyperparameters.
        judged: rows of ``tune``, or windows of text, that a score is of.
        importance: share that a setting has in how much scores differ, the largest first; empty where nobody knows.
        method: by which they were told apart (``fANOVA``, ``PED-ANOVA``). at: share of the training at which.
        seconds, cpu_seconds: of all trials together, by the clock and of all cores.
        learned: rows that the last training learned from, those of ``tune`` among them.
    """

    asked: int
    trials: tuple[TrialRecord, ...]
    winner: int
    ranges: Mapping[str, Range]
    given: Mapping[str, Any]
    judged: int
    importance: Mapping[str, float]
    method: str
    at: float
    seconds: float
    cpu_seconds: float
    learned: int

    @property
    def best(self) -> TrialRecord:
        """The trial that won."""
        return next(one for one in self.trials if one.number == self.winner)

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SweepRecord:
        """What :meth:`to_json` gave.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        values = dict(record)
        values["trials"] = tuple(TrialRecord(**one) for one in record["trials"])
        values["ranges"] = {
            name: Range(**{**one, "choices": tuple(one["choices"])}) for name, one in record["ranges"].items()
        }
        return cls(**values)


def best_of(trials: tuple[TrialRecord, ...] | list[TrialRecord]) -> TrialRecord | None:
    """The trial that was trained to its end with the best score, the first of equals; None where there is none."""
    done = [one for one in trials if one.state == FINISHED and one.score is not None]
    return max(done, key=lambda one: (one.rank, -one.number), default=None)
