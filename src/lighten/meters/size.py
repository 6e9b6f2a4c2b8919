"""Size: what the built artifact takes on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.session import Session


class Size(SpeedMeter):
    """All files of the artifact together, tokenizer included."""

    quantities = (Quantity("size", "MB", LOWER, "Bytes of all files of the built artifact, in megabytes."),)

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """``{"bytes": of all files}``."""
        return {"bytes": work.files}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """In megabytes of 1,000,000 bytes; it does not vary."""
        return {"size": Measured(turns[0]["bytes"] / 1e6, 1)}
