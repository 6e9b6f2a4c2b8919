"""Scalars: the curve of a training as JSON lines, written while it goes on; a resumed training goes on with them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lighten.core.training import SCALARS, CurvePoint
from lighten.fitting.tensorboard import EventFile
from lighten.isolate.machine import cpu_seconds
from lighten.nets.training.schedule import Point, State
from lighten.store.artifacts import writing

FILE, EVENTS = SCALARS, "tensorboard"
POINTS = 400
"""Points of the curve of the training loss, about."""


class Scalars:
    """Told of every update; writes a point of the curve now and then, and one for each evaluation.

    Args:
        folder: of the run. planned: rows that are learned from. epoch: rows of one pass. peak: learning rate.
        others: gives the CPU-seconds that other processes have used for it.
    """

    def __init__(
        self, folder: Path, planned: int, epoch: int, peak: float, others: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._others = others
        self._path, self._epoch, self._peak = folder / FILE, max(epoch, 1), peak
        self._every = planned / POINTS
        self._events = EventFile(folder / EVENTS)
        self.points: list[CurvePoint] = []
        self._evaluated = 0
        self._loss, self._many = 0.0, 0
        self._begun = False
        self._rows = 0
        self._seconds: float | None = None
        self._began, self._cpu = time.monotonic(), cpu_seconds()
        self._before = (0.0, 0.0)

    def heard(self, state: State, loss: float, share: float) -> None:
        """See ``loop.Heard``."""
        if not self._begun:
            self._take_up(state.updates, state.told)
            self._every = state.end / POINTS
        self._evaluations(state.points, share)
        self._loss, self._many = self._loss + loss, self._many + 1
        if state.rows - self._rows >= self._every or not self.points:
            values = {"loss": self._loss / self._many}
            if self._seconds is not None:
                values["rows_per_second"] = (state.rows - self._rows) / max(state.seconds - self._seconds, 1e-9)
            self._add(state.updates, state.rows, share, **values)
            self._rows, self._seconds, self._loss, self._many = state.rows, state.seconds, 0.0, 0
        state.told = {
            "loss": self._loss, "many": self._many, "rows": self._rows, "seconds": self._seconds, "spent": self.spent
        }  # fmt: skip

    def finished(self, points: list[Point], updates: int) -> None:
        """The training is over: write what is left."""
        if not self._begun:
            self._take_up(updates + 1, {})
        self._evaluations(points, 0.0)

    @property
    def spent(self) -> tuple[float, float]:
        """Seconds by the clock, and of all cores and processes, all sittings together."""
        seconds, cpu = self._before
        return seconds + time.monotonic() - self._began, cpu + cpu_seconds() - self._cpu + self._others()

    def _take_up(self, step: int, told: Mapping[str, Any]) -> None:
        """Keep what was written before an update; a killed training had gone on behind its last checkpoint. What that
        cost was spent.

        Args:
            told: what the checkpoint has of an earlier sitting; empty where there was none.
        """
        self._begun = True
        every = read_curve(self._path)
        self.points = [point for point in every if point.step < step]
        self._evaluated = sum(point.score is not None for point in self.points)
        self._before = max(
            (float(told["spent"][0]), float(told["spent"][1])) if told else (0.0, 0.0),
            *((point.seconds, point.cpu_seconds) for point in every),
            (0.0, 0.0),
        )
        if told:
            self._loss, self._many = told["loss"], told["many"]
            self._rows, self._seconds = told["rows"], told["seconds"]
        if every:
            self._events.begin(step)
        text = "".join(_line(point) for point in self.points)
        part = self._path.with_name(f".{self._path.name}.part")
        with writing(self._path.parent):
            part.write_text(text, encoding="utf-8")
            part.replace(self._path)

    def _evaluations(self, points: list[Point], share: float) -> None:
        for point in points[self._evaluated :]:
            self._add(point.updates, point.rows, share, score=point.score.quality, tune_loss=point.score.loss)
            self._evaluated += 1

    def _add(self, step: int, rows: int, share: float, **values: float) -> None:
        seconds, cpu = self.spent
        point = CurvePoint(step, rows, rows / self._epoch, share * self._peak, seconds, cpu, **values)
        self.points.append(point)
        with writing(self._path.parent), self._path.open("a", encoding="utf-8") as stream:
            stream.write(_line(point))
        shown = {"learning_rate": point.learning_rate, **values}
        self._events.add(step, {name: value for name, value in shown.items() if value is not None})


def read_curve(path: Path) -> list[CurvePoint]:
    """The points of a file; a last line that was cut off is left out."""
    found = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            found.append(CurvePoint(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def _line(point: CurvePoint) -> str:
    return json.dumps({name: value for name, value in asdict(point).items() if value is not None}) + "\n"
