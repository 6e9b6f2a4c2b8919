"""Metrics of several replicas stand in one exposition, whichever of them is asked, and with whoever may ask."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from lighten.serve import ray_metrics
from lighten.serve.ray_metrics import Board, Gathered, merged
from lighten.testing.asgi import ask

ONE = '# HELP a A thing.\n# TYPE a counter\na{model="m"} 1\n# HELP b Another.\n# TYPE b gauge\nb 2\n'
TWO = '# HELP a A thing.\n# TYPE a counter\na{model="m"} 5\na{model="{odd} 1"} 7\n# HELP c C.\n# TYPE c gauge\nc 0.5\n'


def test_each_family_is_described_once_and_each_sample_has_its_replica() -> None:
    assert merged({"y": TWO, "x": ONE}).splitlines() == [
        "# HELP a A thing.",
        "# TYPE a counter",
        'a{replica="x",model="m"} 1',
        'a{replica="y",model="m"} 5',
        'a{replica="y",model="{odd} 1"} 7',
        "# HELP b Another.",
        "# TYPE b gauge",
        'b{replica="x"} 2',
        "# HELP c C.",
        "# TYPE c gauge",
        'c{replica="y"} 0.5',
    ]


def test_a_replica_that_says_nothing_any_more_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(ray_metrics, "monotonic", lambda: now[0])
    board = Board()
    board.put("a", "1")
    now[0] = 8.0
    board.put("b", "2")
    assert board.all() == {"a": "1", "b": "2"}
    now[0] = 11.0
    assert board.all() == {"b": "2"}


class Handle:
    """A board in this process, asked as an actor is; gone where it is told so."""

    def __init__(self, error: type[Exception] | None = None) -> None:
        self.board, self.error = Board(), error

    def __getattr__(self, name: str) -> Any:
        async def remote(*given: Any) -> Any:
            if self.error is not None:
                raise self.error
            return getattr(self.board, name)(*given)

        return types.SimpleNamespace(remote=remote)


@pytest.fixture
def ray_error(monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    """Ray's error, whether it is installed or not."""
    try:
        from ray.exceptions import RayError
    except ImportError:
        exceptions = types.ModuleType("ray.exceptions")
        RayError = exceptions.RayError = type("RayError", (Exception,), {})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))
        monkeypatch.setitem(sys.modules, "ray.exceptions", exceptions)
    return RayError


def told(opened: Callable[..., Any], handle: Handle, path: str, **more: Any) -> Any:
    """What one replica of two answers."""

    async def body() -> Any:
        async with opened(**more) as stage:
            app = Gathered(stage.app, lambda: ONE, handle, "x")
            return await ask(app, path)

    return asyncio.run(body())


def test_any_of_them_tells_of_all(opened: Callable[..., Any], ray_error: type[Exception]) -> None:
    handle = Handle()
    handle.board.put("y", TWO)
    answer = told(opened, handle, "/metrics")
    assert answer.status == 200 and answer.body.decode() == merged({"x": ONE, "y": TWO})
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert told(opened, handle, "/health/live").json == {"live": True}


def test_without_the_board_it_tells_of_itself(opened: Callable[..., Any], ray_error: type[Exception]) -> None:
    assert told(opened, Handle(ray_error), "/metrics").body.decode() == merged({"x": ONE})


def test_whoever_may_not_ask_learns_nothing(
    opened: Callable[..., Any], ray_error: type[Exception], tmp_path: Any
) -> None:
    from lighten.serve.keys import make_key, read_keys

    make_key(tmp_path / "keys", "ci")
    answer = told(opened, Handle(), "/metrics", keys=read_keys(tmp_path / "keys"))
    assert answer.status == 401 and b"replica" not in answer.body


def test_a_replica_tells_the_board_again_and_again(ray_error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_metrics, "EACH_SECONDS", 0.0)
    handle, texts = Handle(), iter(("1", "2", "3"))

    async def body() -> None:
        async def nothing(*given: Any) -> None:
            """No application."""

        telling = asyncio.ensure_future(Gathered(nothing, lambda: next(texts, "last"), handle, "x").tell())
        async with asyncio.timeout(30):
            while handle.board.all() != {"x": "last"}:
                await asyncio.sleep(0)
        telling.cancel()

    asyncio.run(body())
    assert next(texts, None) is None
