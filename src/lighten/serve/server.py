"""The server's life: listen, load, answer; on SIGTERM say so, finish what runs, and end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lighten.core.errors import InputError, MissingExtra
from lighten.serve.hosts import is_loopback
from lighten.serve.keys import Keys
from lighten.serve.limits import Limits

if TYPE_CHECKING:
    from lighten.serve.grpc_server import GrpcServer
    from lighten.serve.http import Application
    from lighten.serve.models import Models

SWITCH_SECONDS = 0.0005
"""Seconds after which a thread that computes in Python lets another one go on: a replica whose batch has come back
waits for the event loop no longer than that."""
BACKLOG = 2048
OTHER_FILES = 512
"""Files that a server has open beside its connections, at the most, about."""
CLOSING_SECONDS = 5
"""Seconds in which clients have to take their last answers."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """What a process serves: models that are not open yet, the application over them, what ``/metrics`` tells, and the
    same over gRPC."""

    models: Models
    app: Application
    metrics: Callable[[], str]
    beside: GrpcServer | None = None


def listen(host: str, port: int, keys: Keys | None, *, unlocked: bool = False, option: str = "--port") -> socket.socket:
    """A socket that listens.

    Args:
        port: 0 for one that the kernel chooses. unlocked: whether the user asked for a server without keys by name.
        option: that says which port.

    Raises:
        InputError: others can reach it and nobody needs a key, or there is no such address, or it is taken.
    """
    if keys is None and not unlocked and not is_loopback(host):
        raise InputError(
            f"Whoever reaches {host or 'this machine'} could ask everything: no keys were given.",
            allowed="127.0.0.1, ::1 or localhost without keys",
            fix="give --keys FILE (lighten serve --new-key NAME --keys FILE makes one), or say --without-keys",
        )
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, proto)
    except (OSError, UnicodeError) as error:
        raise InputError(f"There is no address {host!r} here: {error}.", fix="--host 127.0.0.1") from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        seen = f"{host}:{port} cannot be listened at: {error.strerror}."
        raise InputError(seen, fix=f"take another {option}, or 0 for any that is free") from error
    made.setblocking(False)
    return made


def address_of(listening: socket.socket) -> str:
    """Where a socket listens, as people write it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_extra() -> None:
    """Find what serves.

    Raises:
        MissingExtra: it is not installed.
    """
    for name in ("httptools", "uvicorn"):  # looked for, not imported: processes that open models come first
        if find_spec(name) is None:
            raise MissingExtra("lighten serve", "serve", f"No module named {name!r}")


def run(hosted: Hosted, listening: socket.socket, limits: Limits, ready: Callable[[], object]) -> None:
    """Serve until SIGTERM or SIGINT; what runs then is finished within the grace time, a second signal ends it at once.

    Args:
        ready: called once every model answers.

    Raises:
        LightenError: why a model cannot be opened, or gRPC not spoken. MissingExtra: what serves is not installed.
    """
    check_extra()
    allow_files(limits.connections)
    before, handlers = sys.getswitchinterval(), {number: signal.getsignal(number) for number in SIGNALS}
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(hosted, listening, limits, ready))
    finally:
        sys.setswitchinterval(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        listening.close()


def allow_files(connections: int) -> None:
    """Let this process have a file open for each connection, and those it needs beside them, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Life:
    """What signals ask for: to end, and to end at once."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.draining: asyncio.Task[None] | None = None

    def end(self) -> None:
        """Called for every signal."""
        if self.over.is_set() and self.draining is not None:
            self.draining.cancel()
        self.over.set()


async def _serve(hosted: Hosted, listening: socket.socket, limits: Limits, ready: Callable[[], object]) -> None:
    loop, life = asyncio.get_running_loop(), _Life()
    if hosted.beside is not None:
        await hosted.beside.start()
    for number in SIGNALS:
        loop.add_signal_handler(number, life.end)
    server = _server(hosted.app, limits)
    tasks = [
        loop.create_task(work) for work in (server.serve(sockets=[listening]), hosted.models.load(), life.over.wait())
    ]
    serving, loading, ending = tasks
    try:
        await asyncio.wait((serving, loading, ending), return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            await loading
            gc.collect()
            gc.freeze()  # what is there now stays: there is no need to look through it again and again
            ready()
            await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        life.draining = loop.create_task(hosted.models.drain(limits.grace))
        with contextlib.suppress(asyncio.CancelledError):
            await life.draining
    finally:
        await hosted.models.stop()
        server.should_exit = True
        if hosted.beside is not None:
            await hosted.beside.stop(CLOSING_SECONDS)
        await serving
        gc.unfreeze()
        for task in (loading, ending):
            task.cancel()
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def _server(app: Application, limits: Limits) -> Any:
    import uvicorn

    from lighten.serve.connection import connections_within

    class Server(uvicorn.Server):
        """uvicorn's, but for signals, which are for the models first."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(
        uvicorn.Config(
            app,
            http=connections_within(limits),
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=limits.connections,
            timeout_keep_alive=limits.idle,
            timeout_graceful_shutdown=CLOSING_SECONDS,
        )
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed; it is not made for every system."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
