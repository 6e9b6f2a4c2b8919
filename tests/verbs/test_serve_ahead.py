"""Small models are being opened before the server is there; what is wrong with one is said later."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.recipe import record_of
from lighten.serve.limits import Limits
from lighten.verbs import serve_ahead as module
from lighten.verbs.serve_ahead import begun
from lighten.verbs.serve_options import Named, Plan, ServeOptions

Counted = Callable[..., Path]
LIMITS = Limits()


def plan(*models: Path | str) -> Plan:
    return Plan(tuple(Named("m", str(number), str(one)) for number, one in enumerate(models, 1)), {})


@pytest.fixture
def small(fake_engine: None, tmp_path: Path) -> Path:
    """A classifier of texts."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "fake.txt").write_text("fake", encoding="utf-8")
    meta = {
        "labels": ["even", "odd"],
        "asked": {"use": "text_classification"},
        "engine": record_of(catalog.load("engines", "fake")()),
    }
    return Artifact.seal(folder, format="fake", meta=meta).path


def test_one_process_of_each_small_model_is_opening_it(small: Path, tmp_path: Path) -> None:
    asked = plan(small)
    with ExitStack() as stack:
        found = begun(asked, ServeOptions(threads=2), LIMITS, tmp_path / "scratch", stack)
        (source,) = found.values()
        assert list(found) == asked.opened and [one.threads for one in source.begun] == [1]
        pid = source.begun[0].child.pid
        with source.process(1, LIMITS.hang) as session:
            assert session.child.pid == pid and not source.begun
            assert len(session.predict(["good", "bad"], source.labels)) == 2
        with source.process(1, LIMITS.hang) as session:
            assert session.child.pid != pid  # the next one is its own


def test_a_process_of_another_kind_is_not_taken_and_what_nobody_takes_ends(small: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, second = begun(plan(small, small), ServeOptions(threads=2), LIMITS, tmp_path / "scratch", stack).values()
        left, (other,) = second.begun[0], first.begun
        assert first.process(2, LIMITS.hang).child.pid == 0 and other.child.pid == 0  # this one is to be started
        assert left.child.pid
    assert left.child.pid == 0


def test_what_is_large_writes_is_no_artifact_or_is_broken_is_not_begun_with(
    small: Path, tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, broken = counted("m", asked={"use": "text_generation"}), counted("broken")
    next(one for one in broken.iterdir() if one.name != "lighten.json").write_bytes(b"other")
    (tmp_path / "plain").mkdir()
    with ExitStack() as stack:
        asked = plan(writes, broken, tmp_path / "plain", tmp_path / "nothing", "sample:minilm")
        assert begun(asked, ServeOptions(), LIMITS, tmp_path / "scratch", stack) == {}
        monkeypatch.setattr(module, "SMALL", 1)
        assert begun(plan(small), ServeOptions(), LIMITS, tmp_path / "scratch", stack) == {}
