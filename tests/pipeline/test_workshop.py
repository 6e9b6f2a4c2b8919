"""The workshop outlives what it makes: a crash costs one candidate, and the next call starts anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lighten.core.errors import BuildFailed, SessionCrashed
from lighten.pipeline.workshop import Workshop
from lighten.store.folder import save_parts
from lighten.tasks.text_classification import TextClassification
from lighten.testing.fake import FakeEngine, fake_artifact
from lighten.testing.plugin import installed, plugin_package
from lighten.testing.stage import stage_parts


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    (tmp_path / "plugins").mkdir()
    plugin_package(tmp_path / "plugins", "engines", "fake", module="lighten.testing.fake")
    save_parts(stage_parts(), tmp_path / "parts.json")
    (tmp_path / "store").mkdir()
    with installed(tmp_path / "plugins"):
        made = Workshop(tmp_path / "store", tmp_path / "parts.json", TextClassification(), seed=0, threads=1)
        try:
            yield made
        finally:
            made.close()


def test_a_crash_costs_one_build_and_no_more(workshop: Workshop, tmp_path: Path) -> None:
    model = fake_artifact(tmp_path / "model")
    built = workshop.build(model, FakeEngine())
    assert built.parent == model.id
    with pytest.raises(SessionCrashed, match="SIGSEGV"):
        workshop.build(model, FakeEngine(fault="segv", at="build"))
    assert workshop.build(model, FakeEngine()) == built  # in a new process, from the store
    with pytest.raises(BuildFailed, match="The fake refuses this model"):
        workshop.build(model, FakeEngine(fault="refuse", at="build"))
    assert workshop.make(model, []) == model
    assert not list((tmp_path / "store").glob(".*"))


def test_closing_twice_is_allowed(workshop: Workshop) -> None:
    workshop.close()
    workshop.close()
    assert workshop.last_score is None
