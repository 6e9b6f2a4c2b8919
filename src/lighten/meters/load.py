"""Load: seconds from asking for the session until it can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.session import Session


class Load(SpeedMeter):
    """Wall-clock time of opening the artifact once: importing the runtime and preparing the model."""

    quantities = (Quantity("load", "s", LOWER, "Seconds that importing the engine and opening the artifact take."),)

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """``{"seconds": that opening took, "others": share of the cores that others took meanwhile, or None}``."""
        return {"seconds": work.load_seconds, "others": work.load_others}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """As it was; a session is opened once."""
        return {"load": Measured(turns[0]["seconds"], 1, note="opened once, with its files in the disk cache")}
