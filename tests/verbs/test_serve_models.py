"""Models of a server: as they were made to be asked, and with room beside what is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import TooLarge
from lighten.measure import memory_estimate
from lighten.serve.limits import Limits
from lighten.testing.tiny_artifacts import tiny_artifact
from lighten.verbs.serve_models import Openers, bytes_of, replicas_of, servable
from lighten.verbs.serve_options import Named, ServeOptions

Counted = Callable[..., Path]


def test_what_is_asked_of_a_model_is_what_it_was_made_for(counted: Counted, tmp_path: Path) -> None:
    made = counted("m", asked={"use": "text_generation", "evidence": "choices", "choices": [" good", " bad"]},
                   data={"prompt": "{place}:"})  # fmt: skip
    found = servable(Named("m", "1", str(made)), tmp_path / "scratch")
    assert found.labels == ("good", "bad") and found.item_of({"place": "home"}) == "home:"


def test_a_model_that_scales_whole_batches_is_known_and_can_be_asked_apart(tmp_path: Path) -> None:
    for format, invariant in (("onnx", True), ("onnx-int8", False)):
        told = Named("m", "1", str(tiny_artifact(format).path))
        found, apart = (servable(told, tmp_path / "scratch", apart=one) for one in (False, True))
        assert found.batch_invariant == invariant and apart.batch_invariant
        assert (apart.engine == found.engine) == invariant
    texts = ["good", "a very good film indeed, and no worse than the one before it"]
    with apart.engine.open(apart.artifact, threads=1) as session:
        alone = [session.run([text])[0] for text in texts]
        assert np.array_equal(session.run(texts), alone)


def test_a_small_model_has_a_process_on_each_core_up_to_four_and_one_that_writes_has_one(
    counted: Counted, tmp_path: Path
) -> None:
    small = servable(Named("m", "1", str(tiny_artifact("onnx").path)), tmp_path / "scratch")
    assert [replicas_of(small, *one) for one in ((0, 3), (0, 9), (2, 9), (0, 1))] == [3, 4, 2, 1]
    writes = servable(Named("m", "1", str(counted("m", asked={"use": "text_generation"}))), tmp_path / "other")
    assert [replicas_of(writes, *one) for one in ((0, 3), (2, 3))] == [1, 2]


def test_what_has_no_room_beside_what_is_open_is_refused(
    tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Named("m", "1", str(counted("m")))
    openers = Openers([model], ServeOptions(replicas=3), Limits(), tmp_path / "scratch")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "winner").symlink_to(model.model)
    (tmp_path / "run" / "study.db").write_bytes(b"x" * 10_000_000)
    assert 1000 < bytes_of(model.model) == bytes_of(str(tmp_path / "run")) and bytes_of(str(tmp_path / "nothing")) == 0
    monkeypatch.setattr(memory_estimate, "available_memory", lambda: 2 * bytes_of(model.model))
    with pytest.raises(TooLarge, match="its files in each replica") as error:
        openers("m", "1")
    assert "--unload" in error.value.fix
