"""Latency: milliseconds that one request takes, sent alone, from raw input to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from lighten.core.meter import SLICES, SpeedMeter, Workload
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.session import Session
from lighten.core.spread import half_iqr
from lighten.meters._generation import forget

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99}
WARM_UP_SECONDS = 2.0


class Latency(SpeedMeter):
    """Every request of ``work.singles`` alone; each turn takes another slice, so that sessions alternate often.

    What requests begin with is read anew by the first one of a turn; a session may keep it for those that follow.
    """

    quantities = (
        Quantity("p50", "ms", LOWER, "Half of the requests, sent one at a time, are answered within this time."),
        Quantity("p95", "ms", LOWER, "95 of 100 requests, sent one at a time, are answered within this time."),
        Quantity("p99", "ms", LOWER, "99 of 100 requests, sent one at a time, are answered within this time."),
    )
    turns = SLICES

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """Time one slice: every ``turns``-th request. ``{"ms": milliseconds of each request}``.

        The warm-up sends all requests once, for at most two seconds: some runtimes compile for each new length.
        """
        if number < 0:
            started = perf_counter()
            for text in work.singles:
                session.run((text,))
                if perf_counter() - started > WARM_UP_SECONDS:
                    break
            return {"ms": []}
        forget(session)
        taken = []
        for text in work.singles[number % self.turns :: self.turns] or work.singles:
            started = perf_counter()
            session.run((text,))
            taken.append((perf_counter() - started) * 1e3)
        return {"ms": taken}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Percentiles over the requests of all turns; the spread is that of the turns' own percentiles."""
        slices = [np.asarray(turn["ms"], dtype=np.float64) for turn in turns if turn["ms"]]
        if not slices:
            return {name: Measured(None, 0, note="no request was timed") for name in PERCENTILES}
        together = np.concatenate(slices)
        found = {}
        for name, percent in PERCENTILES.items():
            note = "" if together.size * (100 - percent) >= 100 else f"the slowest of {together.size} requests"
            own = [float(np.percentile(part, percent)) for part in slices]
            value = np.max(together) if note else np.percentile(together, percent)
            found[name] = Measured(float(value), together.size, half_iqr(own), note)
        return found
