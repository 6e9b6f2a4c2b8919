"""The workshop: a process of its own in which models are made, so that a crash costs one candidate, never the run.

There is one process for each environment that steps and engines live in; nearly all live in lighten's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed
from lighten.core.progress import Progress
from lighten.core.recipe import record_of, task_record_of
from lighten.core.step import Step
from lighten.core.task import Task
from lighten.isolate.environments import EnvironmentSpec, spec_of
from lighten.isolate.process import ChildProcess
from lighten.store.artifacts import ArtifactStore

A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Work:
    """One step as it was carried out.

    Attributes:
        use: catalog name of the step. reached: share of its own plan that it did before nothing more was to be gained.
    """

    use: str
    seconds: float
    reached: float = 1.0


class Workshop:
    """Makes and builds artifacts in child processes that stay up between calls and is started again after a crash.

    Args:
        root: folder of the artifact store. parts: file of the run's data. task: what "good" means.
        seed, threads: for every step.
        progress: told how far the work is. note: told what is worth keeping, in a sentence.

    Attributes:
        work: steps that the last call of :meth:`make` carried out; what lay in the store is not among them.
    """

    def __init__(
        self,
        root: Path,
        parts: Path,
        task: Task,
        *,
        seed: int,
        threads: int,
        progress: Progress | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._common: dict[str, Any] = {
            "root": str(root.resolve()),
            "parts": str(parts.resolve()),
            "task": task_record_of(task),
            "seed": seed,
            "threads": threads,
        }
        self._original = ""
        self._threads, self._progress, self._note = threads, progress, note
        self._children: dict[EnvironmentSpec, ChildProcess] = {}
        self.last_score: float | None = None
        self.work: tuple[Work, ...] = ()

    def teach_with(self, original: Artifact) -> None:
        """The original, once it is known: what students learn from."""
        self._original = str(original.path.resolve())

    def make(
        self,
        base: Artifact,
        chain: Sequence[Step],
        *,
        floor: float = 0.0,
        seconds: float = float("inf"),
        shortens: bool = False,
    ) -> Artifact:
        """Apply a planned chain of steps to ``base``; what was made before is taken from the store.

        Steps that live in an environment of their own are made there, from what the steps before them left on disk.

        Args:
            floor: quality on ``tune`` that training must reach; 0 for none. seconds: until the run's deadline.
            shortens: whether trainings may learn less than they planned, to end by then.

        Raises:
            CandidateFailed: a step failed, was stopped early, crashed or ran out of memory.
            MissingEnvironment: a step lives in an environment that was not made.
        """
        until = monotonic() + seconds
        made, self.work = base, ()
        for environment, steps in groupby(chain, key=lambda step: step.environment):
            part = list(steps)
            reply = self._call(
                "make",
                spec_of(part[0]) if environment else EnvironmentSpec(),
                base=str(made.path.resolve()),
                chain=[record_of(step) for step in part],
                floor=floor,
                seconds=until - monotonic() if isfinite(seconds) else None,
                shortens=shortens,
            )
            made = Artifact.open(reply["path"], verify=False)
            self.work += tuple(Work(**one) for one in reply["work"])
        return made

    def build(self, artifact: Artifact, engine: Engine) -> Artifact:
        """What ``engine`` opens, made from ``artifact``.

        Raises:
            CandidateFailed: the engine refuses the model, crashed or ran out of memory.
        """
        reply = self._call("build", spec_of(engine), artifact=str(artifact.path.resolve()), engine=record_of(engine))
        return Artifact.open(reply["path"], verify=False)

    def score(self, artifact: Artifact, part: str) -> float:
        """Share of rows of a part that a float network answers right."""
        return float(self._call("score", EnvironmentSpec(), artifact=str(artifact.path.resolve()), part=part)["right"])

    def close(self) -> None:
        """End the processes; closing twice is allowed."""
        while self._children:
            self._children.popitem()[1].close()

    def _call(self, function: str, venv: EnvironmentSpec, **arguments: Any) -> Mapping[str, Any]:
        child = self._children.get(venv)
        if child is None:
            child = ChildProcess(threads=self._threads, patient=True, venv=venv)
            child.start()
            self._children[venv] = child
        arguments = {**self._common, "original": self._original, **arguments}
        try:
            reply = child.ask(
                "call",
                A_DAY,
                on_event=self._event,
                function=f"lighten.pipeline.worker:{function}",
                arguments=arguments,
            )
        except CandidateFailed:
            if child.pid == 0:  # it died; the next call starts a new one
                self._children.pop(venv).close()
                ArtifactStore(Path(self._common["root"])).sweep()
            raise
        except BaseException:
            self.close()
            raise
        value: Mapping[str, Any] = reply["value"]
        return value

    def _event(self, event: Mapping[str, Any]) -> None:
        if "score" in event:
            self.last_score = float(event["score"])
        elif "note" in event:
            if self._note is not None:
                self._note(event["note"])
        elif self._progress is not None:
            self._progress(event["done"], event["total"], event["message"])
