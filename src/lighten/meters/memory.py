"""Memory: the most that the session's process held in RAM, from its start until now."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.engine import Session
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import LOWER, Measured, Quantity

STATUS = Path("/proc/self/status")


class Memory(SpeedMeter):
    """Peak resident memory of the whole process: runtime, model, tokenizer and the largest batch it has run."""

    quantities = (Quantity("memory", "MB", LOWER, "Most memory that the process of the session held, in megabytes."),)

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """``{"bytes": peak resident memory of this process}``."""
        return {"bytes": peak_bytes(STATUS)}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """The highest peak, in megabytes of 1,000,000 bytes."""
        return {"memory": Measured(max(turn["bytes"] for turn in turns) / 1e6, 1)}


def peak_bytes(status: Path) -> int:
    """``VmHWM`` of a ``/proc/PID/status``; where there is none, what ``getrusage`` says of this process.

    ``getrusage`` comes second because on Linux it starts from the memory of the process that forked this one.
    """
    try:
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
