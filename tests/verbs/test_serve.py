"""serve: what models are called, and what is refused before anything is opened."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import InputError, ModelError, TooLarge, UnknownName
from lighten.measure import memory_estimate
from lighten.serve import ray
from lighten.serve.keys import read_keys
from lighten.serve.limits import Limits
from lighten.testing.tiny_artifacts import tiny_artifact
from lighten.verbs.serve import Openers, ServedVersion, Serving, bytes_of, new_key, servable, serve
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


def test_a_key_is_made_and_known(tmp_path: Path) -> None:
    key = new_key(tmp_path / "keys", "ci")
    assert read_keys(tmp_path / "keys").name_of(key.encode()) == "ci"


def test_what_cannot_be_served_is_refused_before_anything_is_opened(tmp_path: Path, counted: Counted) -> None:
    pytest.importorskip("uvicorn", reason="pip install 'lighten[serve]'")
    model = str(counted("m"))
    with pytest.raises(ModelError):
        serve(str(tmp_path / "nothing"), port=0)
    with pytest.raises(UnknownName, match="no limit"):
        serve(model, port=0, limits=["x=1"])
    with pytest.raises(InputError, match="cannot be read"):
        serve(model, port=0, keys=tmp_path / "nothing")
    with pytest.raises(InputError, match="no keys were given"):
        serve(model, port=0, host="0.0.0.0")
    pytest.importorskip("grpc", reason="pip install 'lighten[grpc]'")
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(InputError, match="in use") as error:
            serve(model, port=0, grpc_port=other.getsockname()[1])
        assert "--grpc-port" in error.value.fix
    with pytest.raises(InputError, match="-1 replicas"):
        serve(model, port=0, replicas=-1)
    with pytest.raises(InputError, match="no keys were given"):
        serve(model, port=0, operators=["anna"])
    new_key(tmp_path / "keys", "ci")
    with pytest.raises(UnknownName, match="no key named 'anna'"):
        serve(model, port=0, keys=tmp_path / "keys", operators=["anna"])
    with pytest.raises(UnknownName, match="version of 'm' named '2'"):
        serve(f"m={model}", port=0, canary=["m:2=0.5"])


def test_what_is_told_is_plain() -> None:
    told = Serving("http://127.0.0.1:1", (ServedVersion("m", "1", "runs/m", "a" * 64, "fake 1.0", True),))
    assert told.to_json()["models"][0]["name"] == "m" and told.to_json()["address"] == "http://127.0.0.1:1"


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


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"ray": True, "ray_autoscale": "2:1"}, "MIN:MAX"),
        ({"ray": True, "ray_autoscale": "1:2", "replicas": 2}, "how many replicas"),
        ({"ray_autoscale": "1:2"}, "how many replicas"),
        ({"ray": True, "log": "-"}, "stdout"),
        ({"ray": True, "grpc_port": 0}, "--grpc-port"),
        ({"ray": True, "host": "0.0.0.0"}, "no keys were given"),
    ],
)
def test_what_ray_cannot_do_is_refused_before_it_is_started(
    given: dict[str, Any], seen: str, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    def never(cores: int) -> None:
        raise AssertionError("Ray was started")

    monkeypatch.setattr(ray, "check_extra", lambda: None)
    monkeypatch.setattr(ray, "cluster", never)
    with pytest.raises(InputError, match=seen):
        serve(str(counted("m")), **given)
