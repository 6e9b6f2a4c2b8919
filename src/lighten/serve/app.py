"""The application: which route a request takes, who may take it, and what becomes of errors. Bare ASGI."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from lighten.serve.hosts import asks_for_here
from lighten.serve.http import Held, Receive, Reply, Request, Route, Scope, Send, Sent, Words, json_reply, plain_words
from lighten.serve.keys import Keys
from lighten.serve.limits import Limits
from lighten.serve.refusals import (
    ClientGone,
    Refusal,
    misdirected,
    no_operator,
    no_such,
    unauthorized,
    unexpected,
    wrong_method,
)

log = logging.getLogger("lighten.serve")


class Routes:
    """Routes by their paths.

    Args:
        every: no two of them have the same method and path.
    """

    def __init__(self, every: Iterable[Route]) -> None:
        self.every = tuple(every)
        self._fixed: dict[str, dict[str, Route]] = {}
        self._open: dict[int, list[tuple[list[str], dict[str, Route]]]] = {}
        self._words: dict[str, Words] = {}
        for route in self.every:
            self._words.setdefault(route.path.split("/")[1], route.words)
            if "{" not in route.path:
                self._fixed.setdefault(route.path, {})[route.method] = route
                continue
            parts = route.path.split("/")
            alike = self._open.setdefault(len(parts), [])
            methods = next((methods for known, methods in alike if known == parts), None)
            if methods is None:
                alike.append((parts, methods := {}))
            methods[route.method] = route

    def find(self, path: str) -> tuple[Mapping[str, Route], dict[str, str]]:
        """Routes of a path by method, none where nothing is there; the parts of the path that they leave open."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed, {}
        parts = path.split("/")
        for known, methods in self._open.get(len(parts), ()):
            if all(a == b or (a[:1] == "{" and b) for a, b in zip(known, parts, strict=True)):
                return methods, {a[1:-1]: b for a, b in zip(known, parts, strict=True) if a[:1] == "{"}
        return {}, {}

    def words(self, path: str) -> Words:
        """How an error is said at a path: as the first route says it that begins with the same part (``/v2``)."""
        return self._words.get(path.split("/")[1] if path[:1] == "/" else "", plain_words)

    def paths(self) -> list[str]:
        """All of them."""
        return sorted({route.path for route in self.every})


class App:
    """An ASGI application over some routes.

    Args:
        keys: who may ask; None for everybody.
        local: answer only what asks for this machine by a name of its own (see ``hosts.asks_for_here``).
        operators: names of keys that may change what is served; without keys, who asks from this machine may.

    Attributes:
        strays: refusals by code of requests that reached no model. metrics: what ``/metrics`` tells.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        limits: Limits,
        keys: Keys | None = None,
        *,
        local: bool = False,
        operators: Collection[str] = (),
    ) -> None:
        self.limits, self.keys, self.local, self.operators = limits, keys, local, frozenset(operators)
        self.answer(routes)
        self.room = Held(limits.held)
        self.strays: Counter[str] = Counter()
        self.metrics: Callable[[], str] = str

    def answer(self, routes: Iterable[Route]) -> None:
        """Answer these routes from now on, and no others."""
        self.routes = Routes(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Whatever is no request of HTTP is no business of this application."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive, self.limits, self.room)
        route: Route | None = None
        try:
            route = self._route(request)
            reply: Sent = await route.handler(request)
        except ClientGone:
            return
        except Refusal as refusal:
            reply = self._refused(refusal, route, request)
        except Exception:
            log.exception("%s %s", request.method, route.path if route is not None else "(no route)")
            reply = self._refused(unexpected(), route, request)
        finally:
            request.done()
        await reply.send(send)

    def _route(self, request: Request) -> Route:
        """Raises Refusal: another host, no such path, another method, or no key."""
        if self.local and not asks_for_here(host := request.headers.get(b"host", b"")):
            raise misdirected(host.decode("latin-1"))
        methods, params = self.routes.find(request.path)
        method = "GET" if request.method == "HEAD" else request.method
        route = methods.get(method)
        if self.keys is not None and not (route is not None and route.unlocked):
            secret = secret_of(request.headers)
            name = self.keys.name_of(secret) if secret is not None else None
            if name is None:
                raise unauthorized()
            request.caller = name
        if not methods:
            raise no_such("path", request.path, self.routes.paths())
        if route is None:
            raise wrong_method(request.method, ", ".join(sorted(methods)))
        if route.operates and not self.operates(request.caller):
            raise no_operator(request.caller)
        request.params = params
        if (record := request.presence.record) is not None:
            record.route, record.protocol, record.caller = route.path, route.protocol, request.caller
        return route

    def operates(self, caller: str) -> bool:
        """Whether a caller may change what is served. caller: name of a key; empty where there are none."""
        return caller in self.operators if self.keys is not None else self.local

    def _refused(self, refusal: Refusal, route: Route | None, request: Request) -> Reply:
        if not refusal.counted:
            self.strays[refusal.code] += 1
        if (record := request.presence.record) is not None:
            record.code = refusal.code
        words = route.words if route is not None else self.routes.words(request.path)
        return json_reply(words(refusal), refusal.status, refusal.headers)


def secret_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The key that a request has: ``Authorization: Bearer KEY``, or ``X-API-Key``."""
    kind, _, secret = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() == b"bearer" and secret:
        return secret.strip()
    return headers.get(b"x-api-key")
