"""Trials: what the training process does in a sweep, one training after another.

The network is opened once and the rows are read once; in between, nothing but the weights is put back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lighten.core.errors import StepFailed, StoppedEarly
from lighten.core.progress import as_clock
from lighten.core.sweep import FAILED, FINISHED, STOPPED, SweepRecord, TrialRecord, best_of
from lighten.fitting.child import PREFIX, prepare
from lighten.fitting.sweep.clock import is_time, trial_seconds
from lighten.fitting.sweep.importance import importance_of
from lighten.fitting.sweep.ranges import ranges_of
from lighten.fitting.sweep.study import FILE, SweepStudy, Trial
from lighten.isolate.child import emit
from lighten.isolate.machine import cpu_seconds
from lighten.nets.training.kept import Kept, tensors_of
from lighten.nets.training.loop import train
from lighten.nets.training.prefix import PrefixCache
from lighten.nets.training.schedule import Hyperparameters, Point, Score, State
from lighten.nets.training.trainable import Trainable

SPENT, CPU, EACH, PRECISION = "seconds", "cpu seconds", "seconds of a trial", "precision"
"""Under which the study remembers what finished trials took, what one may take, and what all compute with."""
OFTEN = 0.25
"""Seconds between two words to the parent, at the least."""


def search(
    base: str,
    parts: str,
    task: Mapping[str, Any],
    settings: Mapping[str, Any],
    given: Mapping[str, Any],
    trials: int,
    seconds: float | None,
    seed: int,
    threads: int,
    folder: str,
    lesson: str = "",
) -> dict[str, Any]:
    """Train the artifact ``base`` with other and other settings, each time judged on ``tune``.

    Args:
        settings: ``Hyperparameters``; given: those that the user fixed. trials: how many. seconds: for all of them and
            the training that follows; None without a bound. lesson: see ``child.prepare``.

    Returns:
        ``record``: of the search. ``settings``: ``Hyperparameters`` of the training that follows, which learns from
        ``train`` and ``tune``; ``seconds``: that it may take.

    Raises:
        InputError: nothing is left to search. RunFolderError: the folder holds another search.
        StepFailed: every trial came apart.
    """
    began = time.monotonic(), cpu_seconds()
    prepared = prepare(base, parts, task, settings, seed, threads, lesson)
    work, data = prepared.work, prepared.data
    work.cache = PrefixCache(Path(folder) / PREFIX)  # all trials begin from what frozen blocks put out once
    known = work.hyperparameters
    ranges = ranges_of(known, work.tunable(), given)
    study = SweepStudy(Path(folder) / FILE, ranges, seed, {name: getattr(known, name) for name in ranges})
    sweep = _Sweep(study, work, trials, seconds, seed, threads, began, 1.0 + len(data.tune) / len(data.train))
    sweep.run()
    records = study.records()
    best = best_of(records)
    if best is None:
        raise StepFailed(
            f"None of the {len(records)} trials could be trained to its end. The first one: {records[0].reason}",
            fix="look at the rows, or give a lower --lr",
        )
    compared, at = study.compared()
    importance, method = importance_of(compared)
    record = SweepRecord(
        trials, tuple(records), best.number, ranges, dict(given), work.judged, importance, method, at,
        study.recall(SPENT), study.recall(CPU), len(data.train) + len(data.tune),
    )  # fmt: skip
    last = {"epochs": best.epochs, "precision": study.recall(PRECISION), "timed": False, "holds_out": False}
    left = None if seconds is None or not best.epochs else max(sweep.left, 1.0)
    return {"record": record.to_json(), "settings": {**settings, **best.settings, **last}, "seconds": left}


class _Sweep:
    """One sitting of a sweep.

    Args:
        began: when this sitting began, and what its process had used of the cores then. more: rows that the last
            training learns from, as a multiple of those of a trial.
    """

    def __init__(
        self,
        study: SweepStudy,
        work: Trainable,
        trials: int,
        seconds: float | None,
        seed: int,
        threads: int,
        began: tuple[float, float],
        more: float,
    ) -> None:
        self.study, self.work, self.trials, self.seconds = study, work, trials, seconds
        self.seed, self.threads, self.more = seed, threads, more
        self._began, self._before = began, (study.recall(SPENT, 0.0), study.recall(CPU, 0.0))
        self.start = Kept(lambda: tensors_of(work.net))
        self.start.keep()

    @property
    def spent(self) -> float:
        """Seconds of all sittings, but for trials that were killed."""
        return float(self._before[0] + time.monotonic() - self._began[0])

    @property
    def left(self) -> float:
        """Seconds that are left of the time, the last training's among them; infinite where nothing bounds it."""
        return float("inf") if self.seconds is None else self.seconds - self.spent

    def run(self) -> None:
        """Make the trials that are still to be made, while there is time."""
        each = self.study.recall(EACH)
        if each is None and self.seconds is not None:
            each = trial_seconds(self.left, self.trials, self.more)
            self.study.remember(EACH, each)
        try:
            while len(done := self.study.records()) < self.trials:
                if done and each is not None and not is_time(self.left, each, self.more):
                    emit({"note": f"The time allows {len(done)} of {self.trials} trials."})
                    return
                record = self._try(self.study.begin(), each)
                emit({"note": f"trial {record.number}/{self.trials}: {told(record, self.work)}"})
        finally:
            self.start.close()

    def _try(self, trial: Trial, seconds: float | None) -> TrialRecord:
        """Train once, from the first weights; tell the study."""
        precision = self.study.recall(PRECISION, self.work.hyperparameters.precision)
        asked = replace(self.work.hyperparameters, precision=precision)
        work = self.work.again(replace(asked, **_typed(asked, trial.settings)))
        work.raced = True
        watch = _TrialWatch(self, trial, work)
        begun, state, reason = time.monotonic(), FINISHED, ""
        self.start.give_back()
        try:
            found = train(work, seed=self.seed, threads=self.threads, watch=watch, seconds=seconds, heard=watch.heard)
            self.study.remember(PRECISION, found.precision)
            watch.points = found.points
        except StoppedEarly as error:
            state, reason = STOPPED, str(error)
        except StepFailed as error:
            state, reason = FAILED, error.seen
        self.start.give_back()
        record = _record(trial, work, watch, state, reason, time.monotonic() - begun)
        self.study.tell(trial, record)
        self.study.remember(SPENT, self.spent)
        self.study.remember(CPU, self._before[1] + cpu_seconds() - self._began[1])
        return record


class _TrialWatch:
    """Tells the parent how far the sweep is, and stops a trial that is hopeless."""

    def __init__(self, sweep: _Sweep, trial: Trial, work: Trainable) -> None:
        self.sweep, self.trial, self.work = sweep, trial, work
        self.points: list[Point] = []
        self.fraction = 0.0
        best = best_of(sweep.study.records())
        self._best = "" if best is None else f"best so far {told_score(best, work)}, "
        self._last = 0.0

    def heard(self, state: State, loss: float, share: float) -> None:
        """Told after each update."""
        self.points, self.fraction = state.points, state.fraction

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell the parent."""
        now = time.monotonic()
        if now - self._last < OFTEN:
            return
        self._last = now
        sweep, number = self.sweep, self.trial.number
        head = f"trial {number}/{sweep.trials}, {self._best}"
        share = (number - 1 + min(done / total, 1.0)) / sweep.trials if total else 0.0
        emit({"done": share, "total": 1.0, "message": f"{head}{message}{self._left(share)}"})

    def _left(self, share: float) -> str:
        """About how long the sweep still takes, the last training included."""
        sweep = self.sweep
        left = sweep.left
        if sweep.seconds is None:
            if self.trial.number == 1 or not share:
                return ""
            left = sweep.spent * (1.0 - share) / share
        return f", {as_clock(left)} left"

    def score(self, fraction: float, value: float) -> None:
        """See ``Watch.score``."""
        self.fraction = fraction
        if self.trial.is_hopeless(fraction, value):
            raise StoppedEarly(f"At {fraction:.0%} of its training others were better.")

    def seconds_left(self) -> float:
        """Time is planned once, by the loop."""
        return float("inf")


def _record(trial: Trial, work: Trainable, watch: _TrialWatch, state: str, reason: str, seconds: float) -> TrialRecord:
    best: Point | None = None
    for point in watch.points:
        best = point if point.score.beats(best.score if best else None) else best
    passes = work.schedule.epochs
    each = work.planned() / passes if passes else 1.0
    return TrialRecord(
        trial.number, trial.settings, state,
        None if best is None else best.score.quality,
        None if best is None else best.score.loss,
        1.0 if state == FINISHED else watch.fraction,
        0.0 if best is None else best.rows / each,
        seconds, reason,
    )  # fmt: skip


def _typed(asked: Hyperparameters, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in the types that hyperparameters have."""
    return {name: type(getattr(asked, name))(value) for name, value in settings.items()}


def told_score(record: TrialRecord, work: Trainable) -> str:
    """A score in a few words."""
    return work.told(Score(record.score or 0.0, record.loss or 0.0)) if record.score is not None else "not judged"


def told(record: TrialRecord, work: Trainable) -> str:
    """What became of a trial, in a line."""
    ended = "" if record.state == FINISHED else f", {record.state} at {record.fraction:.0%}"
    values = ", ".join(f"{name} {value:.3g}" for name, value in record.settings.items())
    return f"{told_score(record, work)}{ended} ({values})"
