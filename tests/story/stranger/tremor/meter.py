"""Overlooked: how much of the rarest cause is taken for another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.meter import QualityMeter
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.rows import Rows


class Overlooked(QualityMeter):
    """Rows of the rarest class whose answer is another one."""

    quantities = (
        Quantity(
            "overlooked",
            "fraction",
            LOWER,
            "Share of the rarest class that is taken for another one.",
            unproved="the rarest class is another one in other data",
            instead=("accuracy",),
        ),
    )

    def measure(self, outputs: NDArray[Any], rows: Rows, original: NDArray[Any] | None) -> Mapping[str, Measured]:
        targets = np.asarray(rows.targets)
        rarest = targets == np.bincount(targets, minlength=outputs.shape[1]).argmin()
        wrong = outputs.argmax(axis=1) != targets
        count = int(rarest.sum())
        return {"overlooked": Measured(float(wrong[rarest].mean()) if count else None, count)}
