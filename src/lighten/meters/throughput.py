"""Throughput: what one run over many rows costs: rows per second, CPU-seconds and energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter, process_time
from typing import Any

import numpy as np

from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, LOWER, Measured, Quantity
from lighten.core.session import Session
from lighten.core.spread import half_iqr
from lighten.isolate import rapl
from lighten.meters._generation import forget


class Throughput(SpeedMeter):
    """All of ``work.batch`` in one call per turn. One run gives all three quantities, so that it is paid for once.

    CPU-seconds are those of the session's whole process, all threads, while the call runs. Energy is that of the whole
    processor package, other programs included.
    """

    quantities = (
        Quantity("rows_per_second", "rows/s", HIGHER, "Rows answered per second when all are handed over at once."),
        Quantity("cpu", "s/1000 rows", LOWER, "CPU-seconds of all threads that 1,000 rows cost."),
        Quantity("energy", "J/1000 rows", LOWER, "Energy of the processor package that 1,000 rows cost."),
    )
    turns = 5

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """One run of the batch. ``{"rows", "seconds", "cpu": CPU-seconds, "joules": or None, "note": why None}``."""
        forget(session)
        before = rapl.counters()
        cpu, started = process_time(), perf_counter()
        session.run(work.batch)
        seconds, cpu = perf_counter() - started, process_time() - cpu
        joules = rapl.joules_between(before, rapl.counters())
        return {
            "rows": len(work.batch),
            "seconds": seconds,
            "cpu": cpu,
            "joules": joules,
            "note": "" if joules is not None else rapl.why_not(),
        }

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Medians over the turns; ``n`` is the number of rows run."""
        rows = sum(turn["rows"] for turn in turns)
        if not rows:
            return {q.name: Measured(None, 0, note="no row was run") for q in self.quantities}
        speed = [turn["rows"] / turn["seconds"] for turn in turns]
        cpu = [turn["cpu"] * 1e3 / turn["rows"] for turn in turns]
        energy = [turn["joules"] * 1e3 / turn["rows"] for turn in turns if turn["joules"] is not None]
        return {
            "rows_per_second": Measured(float(np.median(speed)), rows, half_iqr(speed)),
            "cpu": Measured(float(np.median(cpu)), rows, half_iqr(cpu)),
            "energy": (
                Measured(float(np.median(energy)), rows, half_iqr(energy))
                if len(energy) == len(turns)
                else Measured(None, 0, note=next(turn["note"] for turn in turns if turn["note"]))
            ),
        }
