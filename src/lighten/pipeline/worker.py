"""What the workshop's own process does: make and build artifacts, and tell how far it is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import StoppedEarly
from lighten.core.recipe import engine_from, step_from, task_from
from lighten.core.rows import Parts
from lighten.isolate.child import emit
from lighten.pipeline.make import Workbench
from lighten.pipeline.make import build as build_for
from lighten.store.artifacts import ArtifactStore
from lighten.store.folder import load_parts

SLACK = 0.08
"""Quality that a student may still gain at the start of its training; what it may gain falls linearly to none."""

EARLIEST = 0.3
"""Share of its training before which nothing is stopped: a network that lost half its layers starts near chance."""


LATE = 1.5
"""Times the seconds it was given after which a training that was to end by itself is stopped."""


class Reporting:
    """A watch that tells the parent, and stops a training that is hopeless or out of time.

    Args:
        floor: quality on ``tune`` that the end of the training must reach; 0 for none.
        seconds: until the run's deadline. shortens: whether a training may learn less, so that it ends by then; else it
            does what its recipe says, or is stopped.
    """

    def __init__(self, floor: float, seconds: float, *, shortens: bool = False) -> None:
        now = time.monotonic()
        self.floor, self.until = floor, now + seconds * (LATE if shortens else 1.0)
        self.planned = now + seconds if shortens else float("inf")
        self.last = 0.0

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell the parent, at most four times a second.

        Raises:
            StoppedEarly: the run's time is up.
        """
        now = time.monotonic()
        if now > self.until:
            raise StoppedEarly("The time of the run was up before its training was done.")
        if now - self.last >= 0.25 or done >= total:
            self.last = now
            emit({"done": done, "total": total, "message": message})

    def score(self, fraction: float, value: float) -> None:
        """Stop when ``value`` on ``tune`` is too low to be caught up.

        Raises:
            StoppedEarly: it is.
        """
        emit({"fraction": fraction, "score": value})
        if fraction < EARLIEST:
            return
        least = self.floor - SLACK * (1.0 - fraction)
        if value < least:
            raise StoppedEarly(
                f"After {fraction:.0%} of its training it reached {value:.1%} on tune; at least {least:.1%} was needed."
            )

    def seconds_left(self) -> float:
        """Seconds that a training plans with, where it may be shortened; else what a recipe says is what is done."""
        return self.planned - time.monotonic()


def make(
    root: str,
    parts: str,
    task: Mapping[str, Any],
    base: str,
    chain: Sequence[Mapping[str, Any]],
    original: str,
    seed: int,
    threads: int,
    floor: float,
    seconds: float | None,
    shortens: bool = False,
) -> dict[str, Any]:
    """Apply the steps ``chain`` to the artifact ``base``.

    Args:
        floor, seconds, shortens: see :class:`Reporting`.

    Returns:
        The ``path`` of what was made, and ``work``: of each step that was carried out its ``use``, ``seconds``, and how
        much of its own plan it ``reached``.
    """
    bench = _bench(root, parts, task, original, seed, threads)
    watch = Reporting(floor, float("inf") if seconds is None else seconds, shortens=shortens)
    made = bench.chain(Artifact.open(base, verify=False), [step_from(record) for record in chain], watch)
    return {"path": str(made.path), "work": bench.work}


def build(
    root: str,
    parts: str,
    task: Mapping[str, Any],
    original: str,
    seed: int,
    threads: int,
    artifact: str,
    engine: Mapping[str, Any],
) -> dict[str, Any]:
    """Build an artifact for an engine. Returns the ``path`` of what was built."""
    store = ArtifactStore(Path(root), _note)
    return {"path": str(build_for(store, Artifact.open(artifact, verify=False), engine_from(engine), seed).path)}


def score(
    root: str, parts: str, task: Mapping[str, Any], original: str, seed: int, threads: int, artifact: str, part: str
) -> dict[str, Any]:
    """Share of rows of a part that a float network answers right, by eager torch. Returns ``right``."""
    from lighten.nets.forward import logits
    from lighten.pipeline.formats import open_model

    bench = _bench(root, parts, task, original, seed, threads)
    rows = bench.parts[part]
    network = open_model(Artifact.open(artifact, verify=False), bench.parts.labels)
    right = bench.task.right(logits(network, rows.inputs, threads=threads), rows)
    return {"right": float(right.mean())}


def _note(text: str) -> None:
    emit({"note": text})


@cache
def _parts(path: str) -> Parts:
    return load_parts(Path(path))


def _bench(root: str, parts: str, task: Mapping[str, Any], original: str, seed: int, threads: int) -> Workbench:
    teacher = Artifact.open(original, verify=False) if original else None
    store = ArtifactStore(Path(root), _note)
    return Workbench(store, task_from(task), _parts(parts), teacher, seed, threads)
