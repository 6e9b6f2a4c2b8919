"""What every test needs: no network beyond the package index, no telemetry, one seed."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.home import lighten_home
from lighten.core.task import Task
from lighten.sessions.process import SessionProcess
from lighten.testing.fake import fake_artifact
from lighten.testing.plugin import installed, plugin_package
from lighten.testing.require import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.update(
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    ORT_DISABLE_TELEMETRY="1",
    TOKENIZERS_PARALLELISM="false",
    COLUMNS="120",
    OMP_WAIT_POLICY="PASSIVE",  # the other half of the tests wants the core on which threads of torch would wait busily
    LIGHTEN_PRECISION="fp32",  # whether bf16 is faster is for the clock to say, and no test may depend on it
    ONEDNN_MAX_CPU_ISA="AVX512_CORE_VNNI",  # OpenVINO 2026.4 dies with AMX of a MobileNet 2 in int8
    LIGHTEN_MEASURE_SECONDS="2",  # no test depends on what a clock reads, and none needs to wait for it
)

settings.register_profile("lighten", deadline=None, derandomize=True)  # the same cases everywhere, and none is timed
settings.load_profile("lighten")

if os.environ.get("LIGHTEN_REQUIRE") == "1":  # as testing.require: what is missing is a failure, not a skip
    pytest.importorskip = lambda name, *given, **options: importlib.import_module(name)


def _home_for_tests() -> str:
    """A home whose ledger of opened proofs is empty and its own; samples and environments are the user's."""
    own, home = lighten_home(), Path(tempfile.mkdtemp(prefix="lighten-tests-"))
    for name in ("samples", "environments"):
        (own / name).mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(own / name)
    atexit.register(shutil.rmtree, home, ignore_errors=True)  # links are removed, not what they point to
    return str(home)


os.environ["LIGHTEN_HOME"] = _home_for_tests()

FAKES = Path(__file__).parent / "fakes"

ORDER = (
    "laws",
    "core",
    "proof",
    "data",
    "store",
    "isolate",
    "reports",
    "meters",
    "measure",
    "cli",
    "verbs",
    "serve",
    "search",
)
"""Folders of tests that are quick, in their order; what they do not name comes after them, and the stories last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is quick fails first."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(FAKES.parent).parts[0]
        return ORDER.index(folder) if folder in ORDER else len(ORDER) + (folder == "story")

    items.sort(key=place)


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A catalogue of fakes that need no library: the only steps and engines there are; tasks and meters stay."""
    folder = tmp_path_factory.mktemp("fakes")
    for path in sorted(FAKES.glob("*_*.py")):
        kind, _, name = path.stem.partition("_")
        plugin_package(folder, kind, name, path.read_text(encoding="utf-8"))
    every = catalog.entries
    with installed(folder), pytest.MonkeyPatch.context() as patch:
        kept = (*catalog.STEP_KINDS, "engines")
        patch.setattr(
            catalog, "entries", lambda kind: tuple(e for e in every(kind) if kind not in kept or e.source != "lighten")
        )
        yield


@pytest.fixture
def in_this_process() -> Iterator[None]:
    """What child processes do is done here, trainings among it."""
    from lighten.testing.here import trainings_here

    with trainings_here():
        yield


@pytest.fixture(scope="module")
def fake_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type]:
    """The fake engine, installed as a plug-in."""
    folder = tmp_path_factory.mktemp("plugins")
    plugin_package(folder, "engines", "fake", module="lighten.testing.fake")
    with installed(folder):
        yield catalog.load("engines", "fake")


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    """What the fake engine opens."""
    return fake_artifact(tmp_path / "artifact")


@pytest.fixture
def session_of(fake_engine: type, artifact: Artifact) -> Callable[..., SessionProcess]:
    """``session_of(fault="segv", deadline=5)``: a session process, not started yet."""

    def make(
        *, deadline: float = 20.0, memory: int | None = None, task: Task | None = None, **settings: Any
    ) -> SessionProcess:
        engine = fake_engine(**settings)
        return SessionProcess(artifact, engine, threads=1, task=task, deadline=deadline, memory=memory)

    return make


@pytest.fixture(scope="module")
def scribe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type]:
    """The engine that writes letters, installed as a plug-in."""
    folder = tmp_path_factory.mktemp("scribes")
    plugin_package(folder, "engines", "scribe", module="lighten.testing.scribe")
    with installed(folder):
        yield catalog.load("engines", "scribe")


@pytest.fixture
def scribe_of(scribe: type, artifact: Artifact) -> Callable[..., SessionProcess]:
    """``scribe_of(milliseconds=5)``: a session process of that engine, not started yet."""

    def make(**settings: Any) -> SessionProcess:
        return SessionProcess(artifact, scribe(**settings), threads=1, deadline=20.0)

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium. Of one module alone: while it is driven, no other event loop can run in this thread."""
    program = os.environ.get("LIGHTEN_CHROMIUM") or shutil.which("chromium")
    require(program, "a Chromium (set LIGHTEN_CHROMIUM, or apt-get install chromium)")
    require(find_spec("playwright"), "playwright (pip install 'lighten[dev]')")
    from playwright.sync_api import sync_playwright

    flags = ["no-sandbox", "disable-gpu", "disable-background-networking", "disable-component-update", "disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=[f"--{flag}" for flag in (*flags, "no-first-run")]
        )
        yield started
        started.close()
