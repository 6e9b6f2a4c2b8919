"""A stage: whole searches with an engine whose answers and costs are written in a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lighten.testing.stage import Act, Stage, stage_plugins


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
