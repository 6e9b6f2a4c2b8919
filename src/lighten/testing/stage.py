"""A stage: a whole search and its end, in real processes, with an engine whose answers and costs are scripted.

What a run measures here is the *toll* of a session, a number that the script says for each phase of the run: so a test
can let a measurement contradict an earlier one, a ceiling be missed at the end, a session die in the proof.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.budget import Budget
from lighten.core.result import Candidate
from lighten.core.rows import Parts, Rows
from lighten.core.summary import Summary
from lighten.data.examples import Example
from lighten.measure.workload import draw
from lighten.meters.accuracy import Accuracy
from lighten.pipeline.workshop import Workshop
from lighten.search.context import Clock, Run
from lighten.search.listener import Quiet
from lighten.search.optimize import search_and_conclude
from lighten.search.options import Options
from lighten.search.start import Asked
from lighten.store.folder import RunFolder, save_parts
from lighten.testing.plugin import installed, plugin_package
from lighten.testing.stage_engine import StageEngine
from lighten.testing.stage_meter import Toll
from lighten.testing.stage_task import Staged

SELECT, PROOF = 400, 1200


@dataclass(frozen=True)
class Act:
    """What one setting of the engine does.

    Attributes:
        toll: what it costs by phase (``search``, ``proof``, ``report``), or always.
        wrong: share of the rows that it answers wrong, by part, or always.
        spread: of its toll. fault: what goes wrong in the phase ``proof`` (see ``fake.FAULTS``).
    """

    toll: float | Mapping[str, float]
    wrong: float | Mapping[str, float] = 0.0
    spread: float = 0.0
    fault: str = ""


class Prompter(Quiet):
    """Writes the phase of the run where the sessions read it."""

    def __init__(self, path: Path) -> None:
        self.path, self.heard, self.until = path, list[str](), ""

    def phase(self, name: str, seconds_left: float | None) -> None:
        """The phases before the proof are ``search``."""
        self.path.write_text(name if name in ("proof", "report") else "search", encoding="utf-8")

    def candidate(self, key: int, name: str) -> None:
        """Remember it."""
        self.heard.append(f"{self.path.read_text(encoding='utf-8')} {key}")
        if self.heard[-1] == self.until:
            raise KeyboardInterrupt


@dataclass
class Stage:
    """Where runs are staged.

    Args:
        folder: for the run. acts: the parts, 0 the original's; at most as many as the engine's ``ACTS``.
    """

    folder: Path
    acts: Sequence[Act]
    heard: list[str] = field(default_factory=list)
    """Which candidates were worked on, each behind the phase: ``"proof 2"``."""
    until: str = ""
    """Where a run is interrupted, as in ``heard``."""

    ORIGINAL: ClassVar[StageEngine] = StageEngine()

    @contextmanager
    def open(self, *, keep: str = "accuracy>=-3pt", under: Sequence[str] = (), **options: Any) -> Iterator[Run]:
        """A run in the folder, a new one or that of before."""
        out = self.folder / "run"
        prompter = Prompter(self.folder / "phase")
        prompter.heard, prompter.until = self.heard, self.until
        prompter.phase("search", None)
        asked = {"seconds": None, "candidates": 20, **options}
        made = Options("stage", "stage.csv", out, (keep,), tuple(under), "toll", task="staged", **asked)
        meters = {"accuracy": Accuracy()}, {"toll": Toll()}
        budget = Budget.parse([keep], under, "toll", quality=Accuracy.quantities, speed=Toll.quantities)
        folder = RunFolder.open(out, {}, resume=out.exists())
        parts = stage_parts()
        save_parts(parts, out / "parts.json")
        workshop = Workshop(folder.store.root, out / "parts.json", Staged(), seed=0, threads=1)
        run = Run(
            made, budget, folder, parts, Staged(), workshop, Clock(folder.study, made.seconds), prompter, 1,
            self._original(folder), {"has_head": True, "labels": parts.labels}, (self.ORIGINAL,), {}, {}, *meters,
            draw(parts.select),
        )  # fmt: skip
        try:
            workshop.teach_with(run.original)
            yield run
        finally:
            if run.original_session is not None:
                run.original_session.close()
            workshop.close()
            folder.close()

    def play(self, **options: Any) -> Summary:
        """Search, prove and conclude. options: as of :meth:`open`."""
        with self.open(**options) as run:
            asked = Asked(run.options, run.task, run.parts, run.budget, (), run.quality, run.speed, {})
            return search_and_conclude(run, asked, time.monotonic(), "2025-01-01T00:00:00+00:00")

    def _original(self, folder: RunFolder) -> Artifact:
        path = folder.store.root / "model"
        if not path.is_dir():
            path.mkdir(parents=True)
            acts = [{name: getattr(act, name) for name in Act.__annotations__} for act in self.acts]
            script = {"phase": str(self.folder / "phase"), "acts": acts}
            (path / "fake.txt").write_text(json.dumps(script), encoding="utf-8")
            Artifact.seal(path, format="fake", meta={"labels": ["even", "odd"]})
        return Artifact.open(path)


def stage_parts() -> Parts:
    """Rows whose first word names their part."""

    def rows(part: str, n: int) -> Rows:
        texts = tuple(f"{part} {'x' * (i % 7)} {i}" for i in range(n))
        ids = tuple(Example(text, "", 0).id for text in texts)
        return Rows(texts, tuple(len(text) % 2 for text in texts), ids=ids)

    return Parts(rows("train", 20), rows("tune", 20), rows("select", SELECT), rows("proof", PROOF), ("even", "odd"))


@contextmanager
def stage_plugins(folder: Path) -> Iterator[None]:
    """The engine ``stage``, the meter ``toll`` and the task ``staged`` are installed, here and in every child."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, name in (("engines", "stage"), ("meters", "toll"), ("tasks", "staged")):
        plugin_package(folder, kind, name, module=f"lighten.testing.stage_{kind.removesuffix('s')}")
    with installed(folder):
        yield


def act_of(candidate: Candidate) -> int:
    """Which part a candidate plays."""
    return int(candidate.engine_settings["act"])
