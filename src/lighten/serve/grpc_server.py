"""gRPC beside HTTP, on the same event loop: who may call, how much a call may hold, how long it may take, and what
becomes of errors. Which procedures there are is said by the protocols."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

from lighten.core.errors import InputError, MissingExtra
from lighten.serve.app import secret_of
from lighten.serve.aside import aside
from lighten.serve.grpc_arrivals import Arrivals
from lighten.serve.grpc_refusals import refuse
from lighten.serve.grpc_wire import SHORT, parse
from lighten.serve.http import Held
from lighten.serve.keys import Keys
from lighten.serve.limits import Limits
from lighten.serve.presence import Presence
from lighten.serve.record import GONE, Recorder, begun
from lighten.serve.refusals import (
    ClientGone,
    Refusal,
    no_operator,
    unauthorized,
    unexpected,
    unreadable,
)

log = logging.getLogger("lighten.serve")
QUIET = {"GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "0"}
"""Read when it is loaded: it would write a line for each call that it refuses by itself, and hold its threads up where
a replica is started, which is another program and needs none of them."""
IDENTITY = 1
"""Codings of messages that are taken, a bit for each: none, for what is packed may be any size when it is unpacked."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a procedure knows of a call beside its message.

    Attributes:
        deadline: seconds that the client gives it; infinite where it says nothing. presence: of the client.
        closing: set when the server ends.
    """

    deadline: float
    presence: Presence
    closing: asyncio.Event


@dataclass(frozen=True, slots=True)
class Procedure:
    """A remote procedure: ``/package.Service/Name``.

    Attributes:
        asked: name of its message in ``grpc_messages``. unlocked: whether it is answered without a key.
        operates: whether it changes what is served, which not everybody may.
        handler: gives its reply; or ``stream`` gives one reply after the other.
    """

    path: str
    asked: str
    handler: Callable[[Any, Call], Awaitable[Any]] | None = None
    stream: Callable[[Any, Call], AsyncGenerator[Any, None]] | None = None
    unlocked: bool = False
    operates: bool = False


def check_extra() -> None:
    """Find what speaks gRPC.

    Raises:
        MissingExtra: it is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import google.protobuf  # noqa: F401
        import grpc.aio  # noqa: F401
    except ImportError as error:
        raise MissingExtra("lighten serve --grpc-port", "grpc", str(error)) from error


class GrpcServer:
    """Procedures behind a port.

    Args:
        address: host as a number, and port; 0 for one that gRPC chooses.
        keys: who may call; None for everybody. strays: where refusals by code are counted that reach no model.
        operates: whether the owner of a key may change what is served; of an empty name, whether anybody may.
        recorders: hear of each call once it is over (see ``Recorded``), with the status that HTTP would have.

    A browser speaks no gRPC without TLS, so that no page of another site gets here (see ``hosts.asks_for_here``).
    """

    def __init__(
        self,
        procedures: Iterable[Procedure],
        address: tuple[str, int],
        limits: Limits,
        keys: Keys | None = None,
        *,
        strays: Counter[str] | None = None,
        operates: Callable[[str], bool] = bool,
        recorders: Sequence[Recorder] = (),
    ) -> None:
        self.procedures, self.limits, self.keys = tuple(procedures), limits, keys
        self.strays: Counter[str] = Counter() if strays is None else strays
        self.operates, self.recorders = operates, tuple(recorders)
        self.room = Held(limits.held)
        self.arrivals = Arrivals(max(1, limits.held // limits.body), limits.slow)
        self.host, self.port = address
        self._closing = asyncio.Event()
        self._server: Any = None

    @property
    def address(self) -> str:
        """Where it listens, as clients are told."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen, and answer from now on.

        Raises:
            InputError: somebody else listens there.
        """
        import grpc

        services: dict[str, dict[str, Any]] = {}
        for one in self.procedures:
            service, _, name = one.path.removeprefix("/").partition("/")
            services.setdefault(service, {})[name] = self._method(one)
        handlers = [grpc.method_handlers_generic_handler(*told) for told in services.items()]
        most = self.limits.connections
        self._server = grpc.aio.server(handlers=handlers, options=self._options(), maximum_concurrent_rpcs=most)
        try:
            self.port = self._server.add_insecure_port(self.address)
        except RuntimeError as error:
            fix = "take another --grpc-port, or 0 for any that is free"
            raise InputError(f"{self.address} cannot be listened at: {error}.", fix=fix) from error
        await self._server.start()

    async def stop(self, seconds: float) -> None:
        """Take no call any more.

        Args:
            seconds: after which those that run are broken off.
        """
        self._closing.set()
        await self._server.stop(seconds)

    def _options(self) -> list[tuple[str, int]]:
        limits = self.limits
        return [
            ("grpc.so_reuseport", 0),  # two servers on one port would each get some of the calls
            ("grpc.max_receive_message_length", limits.body),
            ("grpc.http2.bdp_probe", 0),  # no more is taken in of a message that is not read yet
            ("grpc.absolute_max_metadata_size", limits.headers),
            ("grpc.max_metadata_size", limits.headers),
            ("grpc.max_concurrent_streams", limits.connections),
            ("grpc.max_allowed_incoming_connections", limits.connections),
            ("grpc.max_connection_idle_ms", limits.idle * 1000),
            ("grpc.server_handshake_timeout_ms", round(limits.slow * 1000)),
            ("grpc.compression_enabled_algorithms_bitset", IDENTITY),
        ]

    def _method(self, one: Procedure) -> Any:
        """What grpc calls. Messages come as bytes, one after the other, so that who calls and how large and slow they
        are is looked at before they are read."""
        import grpc

        async def answer(incoming: object, context: Any) -> bytes:
            call = self._call(one, context)
            work = asyncio.get_running_loop().create_task(self._answered(one, call, context))
            found: bytes | Refusal | None = None
            try:
                found = await asyncio.shield(work)
            except asyncio.CancelledError:
                call.presence.leave()
                raise
            finally:
                self._record(call.presence, found)
            if found is None:
                raise asyncio.CancelledError
            if isinstance(found, Refusal):
                await refuse(context, found)
            assert isinstance(found, bytes)
            return found

        async def answer_on(incoming: object, context: Any) -> None:
            assert one.stream is not None
            try:
                call = self._call(one, context)
                self._check_key(one, call, context)
                asked, held = await self._read(one, context)
                self.room.give_back(held)
                async with aclosing(one.stream(asked, call)) as replies:
                    async for told in replies:
                        await context.write(told.SerializeToString())
            except Refusal as refusal:
                await refuse(context, refusal)
            except ClientGone:
                raise asyncio.CancelledError from None

        if one.stream is not None:
            return grpc.stream_stream_rpc_method_handler(answer_on)
        return grpc.stream_unary_rpc_method_handler(answer)

    def _call(self, one: Procedure, context: Any) -> Call:
        left, presence = context.time_remaining(), Presence()
        if self.recorders:
            presence.record = begun("POST", _headers(context))
            presence.record.route, presence.record.protocol = one.path, "grpc"
        return Call(inf if left is None else left, presence, self._closing)

    def _record(self, presence: Presence, found: bytes | Refusal | None) -> None:
        """A call is over."""
        if (record := presence.record) is None:
            return
        record.ended, record.status = monotonic(), GONE
        if isinstance(found, Refusal):
            record.status, record.code = found.status, found.code
        elif found is not None:
            record.status = 200
        else:
            record.code = "client_gone"
        for recorder in self.recorders:
            recorder(record)

    async def _answered(self, one: Procedure, call: Call, context: Any) -> bytes | Refusal | None:
        """The reply to a call, why there is none, or None where nobody waits for it. Goes on where a call is cancelled:
        what was begun for it is ended by whoever began it."""
        assert one.handler is not None
        held = 0
        try:
            self._check_key(one, call, context)
            asked, held = await self._read(one, context)
            reply: bytes = (await one.handler(asked, call)).SerializeToString()
            return reply
        except Refusal as refusal:
            if not refusal.counted:
                self._stray(refusal)
            # grpc keeps what ends a call in a circle of references, and with it what the stack held: the whole message
            refusal.__traceback__ = refusal.__cause__ = refusal.__context__ = None
            return refusal
        except ClientGone:
            return None
        except Exception:
            log.exception("%s", one.path)
            return unexpected()
        finally:
            self.room.give_back(held)

    def _check_key(self, one: Procedure, call: Call, context: Any) -> None:
        """Raises Refusal: the call has no key that is known, or one that does not allow it."""
        name: str | None = ""
        if self.keys is not None and not one.unlocked:
            secret = secret_of(_headers(context))
            name = self.keys.name_of(secret) if secret is not None else None
        if name is None:
            raise self._stray(unauthorized())
        if one.operates and not self.operates(name):
            raise self._stray(no_operator(name))
        if call.presence.record is not None:
            call.presence.record.caller = name

    async def _read(self, one: Procedure, context: Any) -> tuple[Any, int]:
        """The message of a call, and its bytes, which are held from now on.

        Raises:
            Refusal: there is none, it comes too slowly, or is none that this procedure takes. ClientGone: it broke off.
        """
        body = await self._body(context)
        try:
            self.room.take(len(body))
        except Refusal as refusal:
            raise self._stray(refusal) from None
        try:
            long = len(body) > SHORT
            return await aside(parse, body, one.asked) if long else parse(body, one.asked), len(body)
        except Refusal as refusal:
            self.room.give_back(len(body))
            raise self._stray(refusal) from None

    async def _body(self, context: Any) -> bytes:
        """The bytes of a call's message."""
        import grpc.aio

        try:
            async with self.arrivals.place():
                body = await context.read()
        except Refusal as refusal:
            raise self._stray(refusal) from None
        except grpc.aio.BaseError as error:
            raise ClientGone from error
        if body is grpc.aio.EOF:
            raise unreadable("The call has no message.", allowed="one message")
        assert isinstance(body, bytes)
        return body

    def _stray(self, refusal: Refusal) -> Refusal:
        self.strays[refusal.code] += 1
        refusal.counted = True
        return refusal


def _headers(context: Any) -> dict[bytes, bytes]:
    """The metadata of a call as HTTP has them."""
    every = context.invocation_metadata()
    return {name.encode(): one if isinstance(one, bytes) else one.encode("latin-1", "replace") for name, one in every}
