"""Toll: what the script of a stage says that a session costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.session import Session


class Toll(SpeedMeter):
    """What the script says that a session costs."""

    quantities = (Quantity("toll", "MB", LOWER, "What the script says."),)

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """``{"toll": now}``."""
        asked: Any = session
        return {"toll": asked.toll(), "spread": asked.act["spread"]}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """The last one."""
        return {"toll": Measured(turns[-1]["toll"], len(turns), turns[-1]["spread"] or None)}
