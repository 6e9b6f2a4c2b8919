"""What all parts of a run share, and the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.budget import Budget
from lighten.core.engine import Engine
from lighten.core.meter import Meter, QualityMeter, SpeedMeter, Workload
from lighten.core.result import Quantity
from lighten.core.rows import Parts
from lighten.core.task import Task
from lighten.pipeline.workshop import Workshop
from lighten.search.listener import Listener
from lighten.search.options import Options
from lighten.sessions.process import SessionProcess
from lighten.store.folder import RunFolder
from lighten.store.study import Study

A_ROW = "seconds a row of {}"
"""What the study remembers of a candidate's answers on all of ``select``, by its key."""
MEASURING = "seconds of measuring {}"
"""What it remembers of a candidate's measurement beside the original."""


class Clock:
    """Time spent on the search, over all starts of the run; a resumed one continues where the killed one stopped.

    Args:
        study: where the time spent is kept.
        seconds: the search's time; None when it is bounded otherwise.
        used: seconds that this start took before the clock was made: reading data and model, settling engines.
    """

    def __init__(self, study: Study, seconds: float | None, used: float = 0.0) -> None:
        self._study, self.seconds = study, seconds
        self._before = float(study.recall("spent", 0.0)) + used
        self._since = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._before + time.monotonic() - self._since

    @property
    def left(self) -> float:
        """Seconds that are left; infinite when time does not bound the search."""
        return float("inf") if self.seconds is None else self.seconds - self.spent

    def tick(self) -> None:
        """Keep the time spent, so that a kill loses little of it."""
        self._study.remember("spent", self.spent)


@dataclass
class Run:
    """One run of the main job.

    Attributes:
        options: as asked; budget: read from them.
        folder: the run's own; parts: the data, as much of them as is used; task: what "good" means.
        original: the model that everything is compared with; facts: what is known of it.
        workshop: the process that makes and builds; threads: cores that every engine gets.
        engines: that work here; refused: the others, with the reason.
        original_session: stays open, so that every candidate is measured beside it.
        environment: the machine's record.
        fingerprint: of all the data.
    """

    options: Options
    budget: Budget
    folder: RunFolder
    parts: Parts
    task: Task
    workshop: Workshop
    clock: Clock
    listener: Listener
    threads: int
    original: Artifact
    facts: Mapping[str, Any]
    engines: tuple[Engine, ...]
    refused: Mapping[str, str]
    environment: Mapping[str, Any]
    quality: Mapping[str, QualityMeter]
    speed: Mapping[str, SpeedMeter]
    work: Workload
    original_session: SessionProcess | None = None
    fingerprint: str = ""
    notes: list[str] = field(default_factory=list)

    def quantity(self, name: str) -> Quantity:
        """The quantity with this name.

        Raises:
            KeyError: no meter of the catalog measures it.
        """
        return quantities_of(self.quality, self.speed)[name]


def quantities_of(quality: Mapping[str, QualityMeter], speed: Mapping[str, SpeedMeter]) -> dict[str, Quantity]:
    """Every quantity by name."""
    every: tuple[Meter, ...] = (*quality.values(), *speed.values())
    return {quantity.name: quantity for meter in every for quantity in meter.quantities}
