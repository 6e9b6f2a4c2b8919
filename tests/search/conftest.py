"""A stage: whole searches with an engine whose answers and costs are written in a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import pytest

from lighten.core.budget import Budget
from lighten.core.result import HIGHER, LOWER, Candidate, Result
from lighten.meters.accuracy import Accuracy
from lighten.search.options import Options
from lighten.store.study import Study
from lighten.testing.stage import Act, Stage, stage_parts, stage_plugins
from lighten.testing.stage_meter import Toll
from lighten.testing.stage_task import Staged


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a stage needs is installed."""
    with stage_plugins(tmp_path_factory.mktemp("stage")):
        yield


@pytest.fixture
def stage(plugins: None, tmp_path: Path) -> Callable[..., Stage]:
    """``stage(original, act, ...)``: a stage where these acts can be played."""

    def make(*acts: Act) -> Stage:
        return Stage(tmp_path, acts)

    return make


class Measured(Protocol):
    """A run of which only what was measured is there: ``measured({key: (toll, rows wrong), ...})``."""

    def __call__(
        self,
        found: Mapping[int, tuple[float, int]],
        *,
        keep: str = ...,
        under: Sequence[str] = ...,
        left: float = ...,
        seconds: float | None = ...,
    ) -> Any: ...


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    """A run whose study holds these candidates, 0 the original, with their answers on ``select``."""
    parts, task = stage_parts(), Staged()

    def make(
        found: Mapping[int, tuple[float, int]],
        *,
        keep: str = "accuracy>=-3pt",
        under: Sequence[str] = (),
        left: float = 1000.0,
        seconds: float | None = None,
    ) -> Any:
        study = Study(tmp_path / "study.db")
        first = found[0][0]
        right = np.eye(2, dtype=np.float32)[list(parts.select.targets)]
        for key, (toll, wrong) in found.items():
            answers = right.copy()
            answers[:wrong] = answers[:wrong, ::-1]
            share = 1 - wrong / len(parts.select)
            results = {
                "accuracy": Result("id", "stage", "cpu", "accuracy", share, "fraction", HIGHER, len(parts.select)),
                "toll": Result("id", "stage", "cpu", "toll", toll, "MB", LOWER, 3, ratio=first / toll),
            }
            study.save(
                Candidate(
                    key,
                    f"stage.step @ stage(act={key})",
                    ({"use": "stage.step", "of": {"act": key}},) if key else (),
                    "stage",
                    {"act": key},
                    "ok",
                    "",
                    f"{key}",
                    results,
                )
            )
            study.save_answers(key, "select", answers)
        budget = Budget.parse([keep], under, "toll", quality=Accuracy.quantities, speed=Toll.quantities)
        return SimpleNamespace(
            options=Options("m", "d", tmp_path, (keep,), tuple(under), "toll", task="staged"),
            budget=budget,
            folder=SimpleNamespace(study=study, path=tmp_path),
            parts=parts,
            task=task,
            quality={"accuracy": Accuracy()},
            speed={"toll": Toll()},
            clock=SimpleNamespace(left=left, seconds=seconds, spent=0.0),
            notes=[],
            refused={},
            facts={},
        )

    return make
