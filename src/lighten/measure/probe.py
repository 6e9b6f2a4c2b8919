"""Probe: does an engine work on this machine? Asked in a process of its own, because one that does not may crash."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, LightenError
from lighten.core.matching import fits
from lighten.isolate.environments import spec_of
from lighten.isolate.process import call

ASKED = ("a good film", "a bad one, and far too long")


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """Whether an engine works here.

    Attributes:
        name: catalog name.
        works: it imports here and, when ``ran``, has built and run a small model.
        version: name and version of the runtime; empty when it does not work.
        ran: a model was run, not only the library imported.
        reason: why it does not work. fix: what to do about it.
    """

    name: str
    works: bool
    version: str = ""
    ran: bool = False
    reason: str = ""
    fix: str = ""


def probe_engine(name: str, samples: Sequence[Path] = (), *, threads: int = 1, deadline: float = 120.0) -> EngineHealth:
    """Import an engine in a child process and, when a sample has a format that it takes, build and run that.

    An engine with an environment of its own is tried there.

    Args:
        samples: folders of small artifacts, in different formats.
        deadline: seconds.

    Raises:
        UnknownName: there is no such engine.
    """
    if name not in catalog.names("engines"):
        catalog.load("engines", name)  # raises, and offers the nearest names
    folders = [str(sample.resolve()) for sample in samples]
    work: dict[str, Any] = {"name": name, "samples": folders, "cores": threads}
    try:
        venv = spec_of(catalog.load("engines", name)())
        found = call("lighten.measure.probe:try_engine", threads=threads, deadline=deadline, venv=venv, **work)
    except LightenError as error:
        return EngineHealth(name, False, reason=error.seen, fix=error.fix)
    return EngineHealth(name, True, found["version"], found["ran"])


def try_engine(name: str, samples: Sequence[str], cores: int) -> dict[str, str | bool]:
    """What the child does to probe an engine: ``{"version", "ran"}``.

    Raises:
        MissingExtra: its library is not installed. BuildFailed: it cannot build or run the sample.
    """
    engine: Engine = catalog.load("engines", name)()
    version = engine.version()
    artifacts = (Artifact.open(Path(sample)) for sample in samples)
    taken = next((artifact for artifact in artifacts if fits(artifact.format, engine.consumes)), None)
    if taken is not None:
        _build_and_run(engine, taken, cores)
    return {"version": version, "ran": taken is not None}


def _build_and_run(engine: Engine, artifact: Artifact, cores: int) -> None:
    import numpy as np

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        built = Artifact.seal(folder, format=engine.build(artifact, folder), parent=artifact.id, meta=artifact.meta)
        with engine.open(built, threads=cores) as session:
            logits = session.run(ASKED)
    if logits.shape[0] != len(ASKED) or not np.isfinite(logits).all():
        raise BuildFailed("It runs a small model, but its answers have the wrong shape or are not finite.")
