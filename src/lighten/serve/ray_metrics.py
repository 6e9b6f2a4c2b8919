"""``/metrics`` of several replicas: whichever is asked tells what all of them count, each under its own label.

Ray gives a request to any replica, and counters that jump between them would mean nothing to Prometheus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from time import monotonic
from typing import Any

from lighten.serve.http import Application, Receive, Scope, Send

PATH = "/metrics"
EACH_SECONDS = 2.0
"""How often a replica tells its own."""
KEPT_SECONDS = 10.0
"""After which one that says nothing any more is gone."""
PATIENCE_SECONDS = 2.0


class Board:
    """What every replica told last. Lives in an actor of its own."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, str]] = {}

    def put(self, replica: str, text: str) -> None:
        """A replica tells its metrics."""
        self._told[replica] = monotonic(), text

    def all(self) -> dict[str, str]:
        """Those of all replicas that are there."""
        oldest = monotonic() - KEPT_SECONDS
        self._told = {name: one for name, one in self._told.items() if one[0] >= oldest}
        return {name: text for name, (_, text) in self._told.items()}


class Gathered:
    """An application that answers as another one does, and to ``/metrics`` for all replicas.

    Args:
        tell: this replica's metrics. board: handle of the actor. name: of this replica.
    """

    def __init__(self, app: Application, tell: Callable[[], str], board: Any, name: str) -> None:
        self._app, self._tell, self._board, self._name = app, tell, board, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        held: list[MutableMapping[str, Any]] = []

        async def keep(message: MutableMapping[str, Any]) -> None:
            held.append(message)

        await self._app(scope, receive, keep)
        if held and held[0]["status"] == 200 and scope["method"] == "GET":
            body = merged({**await self._others(), self._name: self._tell()}).encode()
            headers = [one for one in held[0]["headers"] if one[0] != b"content-length"]
            held[0]["headers"] = [*headers, (b"content-length", b"%d" % len(body))]
            held[1:] = [{"type": "http.response.body", "body": body}]
        for message in held:
            await send(message)

    async def tell(self) -> None:
        """Tell the board again and again, until this is cancelled. While it cannot be reached, nothing is lost."""
        while True:
            await self._asked(self._board.put.remote(self._name, self._tell()))
            await asyncio.sleep(EACH_SECONDS)

    async def _others(self) -> dict[str, str]:
        return await self._asked(self._board.all.remote()) or {}

    async def _asked(self, answer: Any) -> Any:
        """What the board answers; None where it is gone: this replica is told of then, and no other."""
        from ray.exceptions import RayError

        try:
            return await asyncio.wait_for(answer, PATIENCE_SECONDS)
        except (RayError, TimeoutError):
            return None


def merged(texts: Mapping[str, str]) -> str:
    """Several expositions as one, each with the name of its replica as one more label.

    >>> print(merged({"a": "# TYPE x gauge\\nx 1\\n", "b": '# TYPE x gauge\\nx{m="1"} 2\\n'}), end="")
    # TYPE x gauge
    x{replica="a"} 1
    x{replica="b",m="1"} 2
    """
    heads: dict[str, list[str]] = {}
    values: dict[str, list[str]] = {}
    for replica, text in sorted(texts.items()):
        family, label = "", f'replica="{replica}"'
        for line in text.splitlines():
            if line.startswith("#"):
                family = line.split(" ", 3)[2]
                head = heads.setdefault(family, [])
                if line not in head:
                    head.append(line)
            else:
                name, brace, rest = line.partition("{")
                plain, _, value = line.rpartition(" ")
                told = f"{name}{{{label},{rest}" if brace else f"{plain}{{{label}}} {value}"
                values.setdefault(family, []).append(told)
    return "".join(f"{line}\n" for family in heads for line in (*heads[family], *values.get(family, ())))
