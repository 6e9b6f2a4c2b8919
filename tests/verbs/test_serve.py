"""serve: what models are called, and what is refused before anything is opened."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import InputError, ModelError, UnknownName
from lighten.serve import ray
from lighten.serve.keys import read_keys
from lighten.verbs.serve import Serving, new_key, serve
from lighten.verbs.serve_models import ServedVersion

Counted = Callable[..., Path]


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
