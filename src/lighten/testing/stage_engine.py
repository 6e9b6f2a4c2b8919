"""Stage: an engine whose answers and costs are scripted, for each of its settings and each phase of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed
from lighten.core.item import Item, shown
from lighten.core.session import Session
from lighten.core.step import setting
from lighten.testing.fake import FakeEngine, draw_of, misbehave

ACTS = (0, 1, 2, 3)


@dataclass(frozen=True)
class StageEngine(FakeEngine):
    """Opens folders of the format ``fake`` whose text is a script."""

    act: int = setting(0, "Which part it plays.", choices=ACTS, search=ACTS)
    thrift: int = setting(0, "How much less it costs, a tenth each.", low=0, high=9, saves={"toll": (1, 3)})

    def build(self, artifact: Artifact, folder: Path) -> str:
        """See :meth:`Engine.build`.

        Raises:
            BuildFailed: the script has no such part.
        """
        if self.act >= len(json.loads((artifact.path / "fake.txt").read_text(encoding="utf-8"))["acts"]):
            raise BuildFailed("There is no such part.")
        return super().build(artifact, folder)

    def open(self, artifact: Artifact, *, threads: int) -> Session:
        """See :meth:`Engine.open`."""
        if self.at == "open":
            misbehave(self.fault)
        return StageSession(self, json.loads((artifact.path / "fake.txt").read_text(encoding="utf-8")))


class StageSession(Session):
    """What ``StageEngine`` opens."""

    def __init__(self, engine: StageEngine, script: Mapping[str, Any]) -> None:
        self.engine, self.script = engine, script
        self.act: Mapping[str, Any] = script["acts"][engine.act]

    def phase(self) -> str:
        """The phase of the run."""
        return Path(self.script["phase"]).read_text(encoding="utf-8")

    def toll(self) -> float:
        """What it costs in this phase."""
        return float(_at(self.act["toll"], self.phase())) * (1 - self.engine.thrift / 10)

    def run(self, inputs: Sequence[Item]) -> Any:
        """float32 [n, 2]: right but for the share that the script says; the part is a text's first word."""
        import numpy as np

        if self.phase() == "proof" and self.act["fault"]:
            misbehave(self.act["fault"])
        answers = np.zeros((len(inputs), 2), dtype=np.float32)
        for row, text in enumerate(map(shown, inputs)):
            wrong = draw_of(text) < float(_at(self.act["wrong"], text.partition(" ")[0]))
            answers[row, (len(text) + wrong) % 2] = 1.0
        return answers

    def close(self) -> None:
        """Nothing is held."""


def _at(value: Any, where: str) -> Any:
    return value.get(where, next(iter(value.values()))) if isinstance(value, Mapping) else value
