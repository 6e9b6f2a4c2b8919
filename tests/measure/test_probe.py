"""Engines that work here, and engines that do not, each asked in a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import UnknownName
from lighten.measure.probe import EngineHealth, probe_engine
from lighten.testing.fake import fake_artifact
from lighten.testing.plugin import installed, plugin_package

ENGINE = '''"""An engine that {what}."""
{top}
from dataclasses import dataclass
from lighten.testing.fake import FakeEngine
import os, signal

@dataclass(frozen=True)
class Mine(FakeEngine):
    def version(self):
        {version}
        return "mine 2.0"
'''


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("engines")
    bad = {
        "illegal": ("dies of an illegal instruction", "", "os.kill(os.getpid(), signal.SIGILL)"),
        "absent": ("lacks its library", "import no_such_library", "pass"),
        "broken": ("raises", "", "raise RuntimeError('broken here')"),
    }
    for name, (what, top, version) in bad.items():
        plugin_package(folder, "engines", name, ENGINE.format(what=what, top=top, version=version))
    plugin_package(folder, "engines", "fake", module="lighten.testing.fake")
    with installed(folder):
        yield


@pytest.mark.usefixtures("engines")
class TestProbe:
    def test_an_engine_that_imports_works(self) -> None:
        assert probe_engine("fake") == EngineHealth("fake", True, "fake 1.0", ran=False)

    def test_a_sample_in_its_format_is_built_and_run(self, tmp_path: Path) -> None:
        sample = fake_artifact(tmp_path / "sample")
        other = tmp_path / "other"
        other.mkdir()
        (other / "model.txt").write_text("x")
        Artifact.seal(other, format="gguf")
        assert probe_engine("fake", [other, sample.path]).ran
        assert not probe_engine("fake", [other]).ran

    @pytest.mark.parametrize(
        ("name", "reason", "fix"),
        [
            ("illegal", "SIGILL", ""),
            ("absent", "No module named 'no_such_library'", "install what lighten-plugin-engines-absent needs"),
            ("broken", "RuntimeError: broken here", ""),
        ],
    )
    def test_one_that_does_not_work_says_why(self, name: str, reason: str, fix: str) -> None:
        health = probe_engine(name)
        assert not health.works and reason in health.reason and health.fix.startswith(fix)

    def test_an_engine_that_is_none(self) -> None:
        with pytest.raises(UnknownName, match="did you mean 'fake'"):
            probe_engine("fakee")
