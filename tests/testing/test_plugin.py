"""One file and one entry point make a plug-in of any kind, in this process and in children."""

import sys
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.errors import InputError, UnknownName
from lighten.isolate.process import call
from lighten.testing.plugin import installed, packaged, plugin_package

STEP = '''"""A step that does nothing."""
from dataclasses import dataclass
from lighten.core.step import Step, setting

@dataclass(frozen=True)
class Nothing(Step):
    consumes = ("hf",)
    strength: float = setting(0.5, "How much of nothing.", low=0.0, high=1.0)

    def run(self, model, needs):
        return model
'''
TASK = '''"""A task of one class."""
from lighten.core.task import Task

class One(Task):
    metrics = ("accuracy",)

    def read(self, source, options, *, seed):
        raise NotImplementedError

    def read_new(self, source, options, labels):
        raise NotImplementedError

    def read_inputs(self, source, options):
        return []

    def predict(self, session, inputs, labels):
        return []

    def loss(self, logits, targets):
        return logits.sum()

    def distance(self, logits, teacher):
        return logits.sum()

    def right(self, outputs, rows):
        return outputs[:, 0] == outputs[:, 0]
'''
METER = '''"""A meter of nothing."""
from lighten.core.meter import SpeedMeter
from lighten.core.result import LOWER, Measured, Quantity

class Nothing(SpeedMeter):
    quantities = (Quantity("nothing", "s", LOWER, "Nothing."),)

    def turn(self, session, work, number):
        return {}

    def reduce(self, turns):
        return {"nothing": Measured(0.0, 1)}
'''
ENGINE = '''"""An engine that is the fake one."""
from dataclasses import dataclass
from lighten.testing.fake import FakeEngine

@dataclass(frozen=True)
class Mine(FakeEngine):
    pass
'''
READER = '''"""A reader of nothing."""
from lighten.core.reader import Reader

class Nothing(Reader):
    is_in = open = classmethod(lambda cls, folder: None)
    save = __call__ = size = batch = axes = probe = lambda *given: None
'''
FORMAT = '''"""A format of nothing."""
from lighten.core.format import Format

class Nothing(Format):
    def save(self, model, folder):
        return folder
'''
TARGET = '''"""A target of nothing."""
from lighten.core.target import Target

class Nothing(Target):
    title = ("nothing", "\u65e0")
    write = about = ways = lambda *given: None
'''
GUARD = '''"""A guard that finds nothing."""
from dataclasses import dataclass
from lighten.core.guard import TextGuard

@dataclass(frozen=True)
class Nothing(TextGuard):
    finder = lambda *given: None
'''
OTHERS = {
    "formats": FORMAT, "tasks": TASK, "meters": METER, "engines": ENGINE, "readers": READER, "targets": TARGET,
    "guards": GUARD,
}  # fmt: skip
SOURCES = {**dict.fromkeys(catalog.STEP_KINDS, STEP), **OTHERS}


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_one_file_joins(tmp_path: Path, kind: str) -> None:
    source = SOURCES[kind]
    plugin_package(tmp_path, kind, "mine", source)
    name = f"{kind}.mine" if kind in catalog.STEP_KINDS else "mine"
    before = catalog.names(kind)
    with installed(tmp_path):
        (entry,) = (e for e in catalog.entries(kind) if e.name == name)
        assert entry.doc == source.partition('"""')[2].partition('"""')[0]
        assert entry.source == f"lighten-plugin-{kind}-mine"
        cls = catalog.load(kind, name)
        assert catalog.name_of(cls) == name
    assert catalog.names(kind) == before
    with pytest.raises(UnknownName):
        catalog.load(kind, name)


def test_children_see_it_too(tmp_path: Path) -> None:
    plugin_package(tmp_path, "meters", "mine", METER)
    with installed(tmp_path):
        assert "mine" in call("lighten.core.catalog:names", kind="meters")
    assert "mine" not in call("lighten.core.catalog:names", kind="meters")


def test_a_name_that_lighten_has_is_refused(tmp_path: Path) -> None:
    plugin_package(tmp_path, "meters", "latency", METER)
    with installed(tmp_path), pytest.raises(InputError, match="latency"):
        catalog.names("meters")


def test_a_package_brings_several_at_once(tmp_path: Path) -> None:
    (tmp_path / "several").mkdir()
    (tmp_path / "several" / "__init__.py").write_text("")
    (tmp_path / "several" / "meter.py").write_text(METER)
    packaged(tmp_path, "several", {"meters": {"mine": "several.meter", "other": "several.gone"}, "tasks": {}})
    with installed(tmp_path):
        found = {entry.name: entry.source for entry in catalog.entries("meters") if entry.source == "several"}
        assert found == {"mine": "several", "other": "several"}
        assert catalog.load("meters", "mine").__module__ == "several.meter"
    assert "several.meter" not in sys.modules and "mine" not in catalog.names("meters")
