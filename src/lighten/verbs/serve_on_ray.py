"""serve --ray: what is asked of Ray where one machine is outgrown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from lighten.core.errors import InputError
from lighten.serve import ray
from lighten.serve.keys import Keys
from lighten.serve.limits import Limits
from lighten.serve.request_log import STDOUT
from lighten.serve.server import Hosted, address_of, listen
from lighten.verbs.serve_options import ServeOptions


def check_ray(options: ServeOptions) -> None:
    """Refuse what there cannot be on Ray.

    Raises:
        InputError: it is asked for. MissingExtra: Ray is not installed.
    """
    if options.ray_autoscale and not (options.ray and options.replicas < 2):
        seen = "--ray-autoscale says how many replicas Ray keeps."
        raise InputError(seen, fix="give it with --ray, and without --replicas")
    if options.ray_autoscale:
        ray.least_and_most(options.ray_autoscale)
    for told, seen in (
        (bool(options.operators), "--operator lets somebody change versions"),
        (options.log == STDOUT, "--log - writes to stdout"),
        (options.grpc_port is not None, "--grpc-port has gRPC listen"),
        (options.review is not None, "--review keeps cases for people to judge"),
    ):
        if told:
            fix = "leave it away; --log FILE is added to by each of them"
            raise InputError(f"{seen}, in one process, and on Ray there are several.", fix=fix)
    ray.check_extra()


def serve_on_ray(
    options: ServeOptions,
    limits: Limits,
    keys: Keys | None,
    build: Callable[[ServeOptions, ExitStack], Hosted],
    ready: Callable[[str], object],
) -> None:
    """Serve on Ray until SIGTERM or Ctrl-C. Each replica there serves all models in processes of its own.

    Args:
        build: makes what one replica hosts, in its process. ready: called with the address once all of them answer.

    Raises:
        InputError: an address or a cluster that cannot be used. CandidateFailed: a model that cannot be opened.
    """
    least = most = options.replicas or 1
    if options.ray_autoscale:
        least, most = ray.least_and_most(options.ray_autoscale)
    with listen(options.host, options.port, keys, unlocked=options.without_keys) as listening:
        address, port = address_of(listening), listening.getsockname()[1]  # where Ray's proxy listens in a moment
    with ray.cluster(options.threads) as cores:
        each = replace(options.absolute, replicas=0, threads=max(1, cores // most))
        fleet = ray.Fleet(options.host, port, least, most, cores / most)
        ray.run(partial(build, each), fleet, limits, lambda: ready(address))
