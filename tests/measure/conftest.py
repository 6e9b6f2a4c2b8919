"""The fake engine, installed as a plug-in, and sessions of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.sessions.process import SessionProcess
from lighten.testing.fake import fake_artifact
from lighten.testing.plugin import installed, plugin_package


@pytest.fixture(scope="module")
def fake_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type]:
    folder = tmp_path_factory.mktemp("plugins")
    plugin_package(folder, "engines", "fake", module="lighten.testing.fake")
    with installed(folder):
        yield catalog.load("engines", "fake")


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return fake_artifact(tmp_path / "artifact")


@pytest.fixture
def session_of(fake_engine: type, artifact: Artifact) -> Callable[..., SessionProcess]:
    """``session_of(fault="segv", deadline=5)``: a session process, not started yet."""

    def make(*, deadline: float = 20.0, memory: int | None = None, **settings: Any) -> SessionProcess:
        return SessionProcess(artifact, fake_engine(**settings), threads=1, deadline=deadline, memory=memory)

    return make
