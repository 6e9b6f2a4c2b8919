"""The same server on Ray Serve: replicas on as many machines as a cluster has, behind Ray's own proxies.

Each replica is an actor that opens every model and runs the whole application: its protocols, keys, admission, guards.
Ray's proxies share requests out, Ray's controller keeps as many replicas as were asked for; nothing here schedules.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from lighten.core.errors import CandidateFailed, InputError, MissingExtra
from lighten.isolate.machine import allowed_cores
from lighten.serve.hosts import is_loopback
from lighten.serve.http import Application, Receive, Scope, Send
from lighten.serve.limits import Limits
from lighten.serve.models import Models
from lighten.serve.ray_metrics import Board, Gathered
from lighten.serve.ray_ports import keep_to_loopback, open_to_others
from lighten.serve.server import SIGNALS, SWITCH_SECONDS, Hosted

APP = "lighten"
EXTRAS = ("ray",)
"""What brings Ray."""
CONTROLLER, NAMESPACE = "SERVE_CONTROLLER_ACTOR", "serve"
ADDRESS = "RAY_ADDRESS"
SILENT: Mapping[str, str] = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_SERVE_ENABLE_HA_PROXY": "0"}
"""Ray says nothing of us to its makers, and its proxies listen where they are told to."""
ALONE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Where this is 0, Ray takes 127.0.0.1 for its node's address, on any system, and all its processes listen there alone;
an address that it is given it replaces by one that others reach. It is read when Ray is imported."""
QUIET: Mapping[str, Any] = {"log_level": "WARNING", "enable_access_log": False}
OBJECT_BYTES = 256 << 20
"""Memory of a local cluster's object store, through which no request goes."""
RETRY_SECONDS = 1.0
ATTEMPTS = 3
"""How often a replica is opened until the deployment is given up."""
LOOK_SECONDS = 0.1
Build = Callable[[ExitStack], Hosted]
"""Makes what a replica hosts. It is called in the replica's process, and is sent there."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where and how often something is hosted.

    Attributes:
        host, port: of each proxy. least, most: replicas; where they differ, Ray chooses by how many requests are on
            their way. cores: of each replica; less than one where several share it.
    """

    host: str
    port: int
    least: int
    most: int
    cores: float


def check_extra() -> None:
    """Find Ray Serve.

    Raises:
        MissingExtra: it is not installed.
    """
    os.environ.update(SILENT)
    if ADDRESS not in os.environ:
        os.environ[ALONE] = "0"
    try:
        from ray import serve  # noqa: F401
    except ImportError as error:
        raise MissingExtra("lighten serve --ray", *EXTRAS, str(error)) from error


@contextmanager
def cluster(cores: int) -> Iterator[int]:
    """Be part of the cluster that ``RAY_ADDRESS`` names, else of one that is started here for this machine alone, and
    that ends with the block. Gives the cores that there are for replicas.

    Args:
        cores: for all replicas at the most; 0 for all that there are.

    Raises:
        InputError: there is no cluster at that address, or it serves something already. MissingExtra: no Ray.
    """
    check_extra()
    import ray

    address = os.environ.get(ADDRESS)
    try:
        if address is None:
            given = cores or allowed_cores()
            ray.init(
                address="local", num_cpus=given, include_dashboard=False, object_store_memory=OBJECT_BYTES,
                logging_level=logging.ERROR,
            )  # fmt: skip
            if not is_loopback(at := ray.util.get_node_ip_address()):
                seen = f"Ray was imported before, and listens at {at}, where others reach it."
                raise InputError(seen, fix=f"set {ALONE}=0 before it is imported")
            yield given
        else:
            _join(address)
            there = int(ray.cluster_resources().get("CPU", 1))
            yield min(cores or there, there)
    finally:
        ray.shutdown()


def _join(address: str) -> None:
    import ray

    try:
        ray.init(address=address, logging_level=logging.ERROR)
    except (ConnectionError, ValueError) as error:
        raise InputError(f"There is no Ray cluster at {address}.", fix=f"unset {ADDRESS} to start one here") from error
    try:
        ray.get_actor(CONTROLLER, NAMESPACE)
    except ValueError:
        return
    seen = f"Ray Serve already runs on the cluster at {address}, with an address and applications of its own."
    raise InputError(seen, fix="end it there (serve shutdown), or take lighten export --to ray and add that to it")


def least_and_most(told: str) -> tuple[int, int]:
    """Least and most replicas as a user tells them, ``MIN:MAX``.

    Raises:
        InputError: it is something else.
    """
    least, colon, most = told.partition(":")
    if colon and least.isdigit() and most.isdigit() and 1 <= int(least) <= int(most):
        return int(least), int(most)
    raise InputError(f"The replicas are {told!r}.", allowed="MIN:MAX, 1 or more", fix="--ray-autoscale 1:4")


def settings(fleet: Fleet, limits: Limits) -> dict[str, Any]:
    """Options of the deployment: Ray's limits and times are the server's own.

    A replica takes as many requests as a server has connections, and refuses by its own admission long before; so many
    wait at the most at each proxy, beyond which Ray refuses, with 429 like us.
    """
    one = fleet.least == fleet.most
    scaled = {
        "min_replicas": fleet.least,
        "max_replicas": fleet.most,
        "target_ongoing_requests": limits.batch,
    }
    return {
        "name": APP,
        **({"num_replicas": fleet.least} if one else {"autoscaling_config": scaled}),
        "ray_actor_options": {"num_cpus": fleet.cores},
        "max_ongoing_requests": limits.connections,
        "max_queued_requests": limits.connections,
        "backpressure_config": {"status_code": 429, "retry_after_s": RETRY_SECONDS},
        "graceful_shutdown_timeout_s": limits.grace,
        "graceful_shutdown_wait_loop_s": LOOK_SECONDS,
        "health_check_timeout_s": limits.hang,
        "max_constructor_retry_count": ATTEMPTS,
        "logging_config": QUIET,
    }


class Replica:
    """What Ray runs in each actor.

    Args:
        build: makes what is hosted. patience: seconds for which a model may be restarting until Ray replaces the actor.
        board: see ``ray_metrics``. alone: nobody beyond this machine is to reach it.
    """

    def __init__(self, build: Build, patience: float, board: Any, alone: bool) -> None:
        if alone:
            from ray.serve._private import replica

            keep_to_loopback(replica)
        self._build, self._patience, self._board = build, patience, board
        self._stack, self._models, self._well = ExitStack(), Models(()), monotonic()

    async def __serve_build_asgi_app__(self) -> Application:
        """Called by Ray once: open every model.

        Raises:
            LightenError: why one cannot be opened.
        """
        from ray import serve

        sys.setswitchinterval(SWITCH_SECONDS)
        hosted = self._build(self._stack)
        self._models = hosted.models
        await self._models.load()
        self._well = monotonic()
        name = serve.get_replica_context().replica_id.unique_id
        gathered = Gathered(hosted.app, hosted.metrics, self._board, name)
        telling = asyncio.create_task(gathered.tell())
        self._stack.callback(telling.cancel)
        return Living(gathered, self._end)

    async def check_health(self) -> None:
        """Called by Ray every few seconds.

        Raises:
            RuntimeError: a model has not answered for too long.
        """
        if self._models.ready:
            self._well = monotonic()
        elif monotonic() - self._well > self._patience:
            raise RuntimeError(f"The models are {self._models.state}.")

    async def _end(self) -> None:
        """Nothing is on its way any more."""
        await self._models.stop()
        self._stack.close()


class Living:
    """An application that answers as another one does, with a lifespan.

    Args:
        ended: awaited once the server shuts down. Its start is the replica's own.
    """

    def __init__(self, app: Application, ended: Callable[[], Awaitable[None]]) -> None:
        self._app, self._ended = app, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self._ended()
        await send({"type": "lifespan.shutdown.complete"})


def run(build: Build, fleet: Fleet, limits: Limits, ready: Callable[[], object]) -> None:
    """Serve on the cluster that this process is part of, until SIGTERM or SIGINT; then what runs is finished within the
    grace time.

    Args:
        ready: called once every replica answers.

    Raises:
        CandidateFailed: a replica cannot open its models, or Ray can be reached from other machines than it was told.
    """
    import ray
    from ray import serve

    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    over, before = threading.Event(), {number: signal.getsignal(number) for number in SIGNALS}
    place = {"host": fleet.host, "port": fleet.port, "keep_alive_timeout_s": limits.idle}
    alone = ADDRESS not in os.environ
    try:
        serve.start(proxy_location="HeadOnly" if alone else "EveryNode", http_options=place, logging_config=QUIET)
        made = serve.deployment(serve.ingress()(Replica), **settings(fleet, limits))
        board = ray.remote(Board).options(num_cpus=0).remote()
        try:
            serve.run(made.bind(build, limits.hang, board, alone), name=APP, route_prefix="/")
        except RuntimeError as error:
            raise CandidateFailed(f"Ray could not deploy: {error}") from error
        if alone and (found := open_to_others(fleet.port)):
            raise CandidateFailed(f"Ray listens where others reach it: {', '.join(found)}.")
        for number in SIGNALS:
            signal.signal(number, lambda *_: over.set())
        ready()
        over.wait()
        serve.delete(APP)  # the proxies stay until every replica has answered what it has
    finally:
        serve.shutdown()
        for number, handler in before.items():
            signal.signal(number, handler)
