"""Refusals: why a request is not answered, with its HTTP status, a code for programs and words for people."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from lighten.core.errors import InputError, LightenError, nearest

SHOWN = 80
"""Characters of a name that is told back, and of one that others may be like."""


class Refusal(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP. code: what programs compare; it names the refusal in ``/metrics``, too.
        seen: what was found, in one sentence. allowed: what would have been taken. fix: what to do.
        retry_after: seconds after which it is worth asking again; None where it is not.
        closes: the connection is of no further use, such as where the rest of a body was not read.

    Attributes:
        counted: whether a model has counted it among its own.
    """

    def __init__(
        self,
        status: int,
        code: str,
        seen: str,
        *,
        allowed: str = "",
        fix: str = "",
        retry_after: float | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(seen)
        self.status, self.code, self.seen, self.allowed, self.fix = status, code, seen, allowed, fix
        self.retry_after, self.closes = retry_after, closes
        self.counted = False

    @property
    def line(self) -> str:
        """All of it in one line, for protocols whose errors are one text."""
        fix = self.fix if self.fix.endswith("?") else f"{self.fix}."
        parts = (self.seen, f"Allowed: {self.allowed}." * bool(self.allowed), f"To do: {fix}" * bool(self.fix))
        return " ".join(part for part in parts if part)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Headers that go with it: until it is worth asking again, whole seconds, at least one; and what some clients
        prefer, milliseconds."""
        found = []
        if self.retry_after is not None:
            found.append((b"retry-after", b"%d" % max(1, ceil(self.retry_after))))
            found.append((b"retry-after-ms", b"%d" % max(1, ceil(self.retry_after * 1e3))))
        if self.status == 401:
            found.append((b"www-authenticate", b"Bearer"))
        if self.status == 405:
            found.append((b"allow", self.allowed.encode()))
        if self.closes:
            found.append((b"connection", b"close"))
        return found


class ClientGone(Exception):
    """The client closed its connection: nobody reads an answer."""


def unreadable(seen: str, *, allowed: str = "", fix: str = "") -> Refusal:
    """400: the body is not what its protocol says it is."""
    return Refusal(400, "unreadable", seen, allowed=allowed, fix=fix)


def unauthorized() -> Refusal:
    """401: no key, or none that is known. Nothing is said of which."""
    fix = "send it as Authorization: Bearer KEY, or as X-API-Key"
    return Refusal(401, "unauthorized", "This server needs a key.", allowed="a key that it knows", fix=fix)


def guarded(side: str) -> Refusal:
    """403: a guard stopped it. What the guard looks for is nobody's business. side: input or output."""
    return Refusal(403, f"guarded_{side}", f"The {side} was stopped by a rule of this server.")


def unjudged(reason: Refusal) -> Refusal:
    """A guard asks a model that gives no answer, so neither does the server. Which one is nobody's business."""
    seen, fix = "A rule of this server could not be asked.", "ask again later"
    return Refusal(reason.status, reason.code, seen, fix=fix, retry_after=reason.retry_after)


def misdirected(host: str) -> Refusal:
    """421: a request for another site than this machine, which has no keys."""
    return Refusal(
        421,
        "other_host",
        f"The request asks for {host[:80]!r}, and this server answers for this machine alone.",
        allowed="localhost, 127.0.0.1, [::1]",
        fix="ask http://localhost; or start the server with --keys FILE, or with --without-keys",
    )


def other_site(origin: str) -> Refusal:
    """403: a page of another site asks for a change."""
    seen = f"A page of {origin[:80]!r} asks for it."
    return Refusal(403, "other_site", seen, allowed="pages of this server, and programs that are no browsers")


def no_operator(caller: str) -> Refusal:
    """403: whoever asks may ask models; to change them, and to see what others asked, is for operators."""
    here = "Without keys, this is for who asks from this machine."
    seen = f"The key of {caller!r} is no operator's." if caller else here
    fix = "start the server with --keys FILE --operator NAME"
    return Refusal(403, "no_operator", seen, allowed="keys whose names the server was given with --operator", fix=fix)


def no_such(kind: str, name: str, known: Iterable[str]) -> Refusal:
    """404: there is none of this name; names those there are."""
    every = sorted(known)
    near = nearest(name, every) if len(name) <= SHOWN else []  # likeness takes a second for a million characters
    fix = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
    shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
    return Refusal(404, "not_found", f"There is no {kind} {shown!r}.", allowed=", ".join(every) or "(none)", fix=fix)


def wrong_method(method: str, allowed: str) -> Refusal:
    """405: the path takes other methods."""
    return Refusal(405, "wrong_method", f"{method} is not taken here.", allowed=allowed)


def too_slow(seconds: float) -> Refusal:
    """408: the client took too long to send its request."""
    return Refusal(408, "too_slow", f"The request was not sent within {seconds:g} s.", closes=True)


def conflict(seen: str, *, allowed: str = "", fix: str = "", code: str = "conflict") -> Refusal:
    """409: as things stand, what is asked for cannot be done."""
    return Refusal(409, code, seen, allowed=allowed, fix=fix)


def too_large(seen: str, allowed: str, fix: str = "", *, closes: bool = False) -> Refusal:
    """413: more than one request may hold."""
    return Refusal(413, "too_large", seen, allowed=allowed, fix=fix, closes=closes)


def unsupported(seen: str, allowed: str) -> Refusal:
    """415: a coding of the body that is not taken."""
    return Refusal(415, "unsupported", seen, allowed=allowed)


def unusable(seen: str, *, allowed: str = "", fix: str = "") -> Refusal:
    """422: it can be read, and cannot be answered."""
    return Refusal(422, "unusable", seen, allowed=allowed, fix=fix)


def unusable_input(error: InputError) -> Refusal:
    """422: an input that a reader or a task refuses."""
    return unusable(error.seen, allowed=error.allowed, fix=error.fix)


def overloaded(seen: str, retry_after: float) -> Refusal:
    """429: what waits already takes as long as anything may wait here."""
    return Refusal(429, "overloaded", seen, fix="ask again later, or send less at a time", retry_after=retry_after)


def failed(error: LightenError) -> Refusal:
    """500: the model did not answer; the reason is the server's business, its kind the client's."""
    return Refusal(500, "failed", f"The model did not answer ({type(error).__name__}).", fix="see the server's log")


def unexpected() -> Refusal:
    """500: an error that nobody foresaw."""
    return Refusal(500, "unexpected", "Something went wrong inside the server.", fix="see the server's log")


def unavailable(seen: str, retry_after: float = 1.0, *, code: str = "unavailable") -> Refusal:
    """503: not now: it is loading, restarting or draining."""
    return Refusal(503, code, seen, fix="ask again later", retry_after=retry_after)


def expired(seconds: float) -> Refusal:
    """504: the request's own time is over."""
    return Refusal(504, "expired", f"It was not answered within {seconds:.3g} s.", fix="ask for less, or allow more")
