"""bench: measure models side by side on the user's own requests."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.errors import CandidateFailed, DataError, InputError
from lighten.core.recipe import record_of
from lighten.core.result import Result
from lighten.core.task import Rows
from lighten.data.columns import find_columns
from lighten.data.table import read_table
from lighten.isolate.machine import allowed_cores
from lighten.measure.environment import Environment
from lighten.measure.interleave import measure, results
from lighten.measure.process import SessionProcess
from lighten.measure.workload import draw, fit
from lighten.verbs.load import resolved


@dataclass(frozen=True)
class Bench:
    """What :func:`bench` found.

    Attributes:
        results: by model, as named by the user; empty for one that failed. Ratios are against the first model.
        failed: reason by model. environment: the machine's record.
    """

    results: dict[str, list[Result]]
    failed: dict[str, str]
    environment: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return {
            "results": {model: [r.to_json() for r in found] for model, found in self.results.items()},
            "failed": self.failed,
            "environment": self.environment,
        }


def bench(
    models: Sequence[str | Path],
    data: str | Path,
    *,
    text: str | None = None,
    seconds: float = 10.0,
    threads: int = 0,
    seed: int = 0,
) -> Bench:
    """Measure models in turns, in one run: latency, throughput, memory, size, load, CPU-seconds, energy.

    Args:
        models: artifacts, run folders, HF folders, hub ids or samples; the first is what the others are compared with.
        data: texts to ask; labels are not needed.
        seconds: of measuring, for each model.

    Raises:
        InputError: a model or the data cannot be used. CandidateFailed: the first model does not run.
    """
    named = [str(model) for model in models]
    if not named or len(set(named)) < len(named):
        raise InputError(f"bench was given {len(named)} models, some of them twice.", allowed="one or more, each once")
    table = read_table(data)
    column = text or (table_text(table))
    texts = tuple(str(cell) for cell in table.column(column) if cell is not None and str(cell).strip())
    if not texts:
        raise DataError(f"{data} has no text in the column {column}.")
    work = draw(Rows(texts, (0,) * len(texts)), seed=seed)
    cores = threads or allowed_cores()
    machine = Environment.here()
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        sides = {name: resolved(name, Path(scratch) / str(n)) for n, name in enumerate(named)}
        sessions: dict[str, SessionProcess] = {}
        for name, (artifact, engine) in sides.items():
            try:
                sessions[name] = stack.enter_context(SessionProcess(artifact, engine, threads=cores))
            except CandidateFailed as error:
                if name == named[0]:
                    raise
                failed[name] = f"{error.kind}: {error}"
        work = fit(work, sessions[named[0]], seconds)
        timed = measure(sessions, work, seconds=seconds * len(sessions))
    found: dict[str, list[Result]] = {}
    for name, readings in timed.items():
        artifact, engine = sides[name]
        if isinstance(readings, CandidateFailed):
            failed[name] = f"{readings.kind}: {readings}"
            continue
        use = record_of(engine)["use"]
        found[name] = results(readings, artifact=artifact.id, engine=use, device=engine.device, environment=machine.id)
    return Bench(found, failed, {**machine.to_json(), "id": machine.id})


def table_text(table: Any) -> str:
    """The text column of a table that may have no label."""
    if len(table.columns) == 1:
        return str(next(iter(table.columns)))
    return find_columns(table).text
