"""serve: models behind HTTP, with a contract that holds under load."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import InputError, UnknownName
from lighten.serve.hosts import is_loopback
from lighten.serve.keys import Keys, make_key, read_keys
from lighten.serve.limits import Limits
from lighten.serve.server import Hosted, address_of, check_extra, listen, run
from lighten.verbs.serve_ahead import ServedVersion, begun
from lighten.verbs.serve_options import Named, Plan, ServeOptions, plan_of, read_options

if TYPE_CHECKING:  # what serves is imported once processes are opening the models
    from lighten.serve.app import App
    from lighten.serve.grpc_server import GrpcServer
    from lighten.serve.metrics import Family
    from lighten.serve.models import Models
    from lighten.serve.record import Recorder
    from lighten.serve.review import Review
    from lighten.serve.servable import Servable


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and where; ``grpc`` is where gRPC is spoken, empty where it is not."""

    address: str
    models: tuple[ServedVersion, ...]
    grpc: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary."""
        return asdict(self) | {"models": [asdict(model) for model in self.models]}


def serve(
    models: str | Sequence[str] = (),
    *,
    config: str | Path | None = None,
    host: str | None = None,
    port: int | None = None,
    grpc_port: int | None = None,
    replicas: int | None = None,
    threads: int | None = None,
    keys: str | Path | None = None,
    without_keys: bool | None = None,
    apart: bool | None = None,
    operators: Sequence[str] = (),
    canary: Sequence[str] = (),
    shadow: Sequence[str] = (),
    review: str | Path | None = None,
    guards: str | Path | None = None,
    limits: Sequence[str] = (),
    log: str | Path | None = None,
    log_format: str | None = None,
    ray: bool | None = None,
    ray_autoscale: str | None = None,
    on_ready: Callable[[Serving], object] | None = None,
) -> None:
    """Serve models over HTTP until SIGTERM or Ctrl-C; what runs then is finished within the grace time.

    Spans of OpenTelemetry are made where its standard variables ask for them (see ``serve.tracing``).

    Args:
        models: winners, run folders, or any artifacts that can be opened, each a path, or ``NAME=PATH``, or
            ``NAME:VERSION=PATH``. Of several versions of a name, the last one is asked where none is said.
        config: a TOML file with any of this (see :class:`ServeOptions`); what is said here wins over it.
        host, port: where to listen, 127.0.0.1 and 8000 by default; port 0 for one that is free. Others than this
            machine are let in with ``keys`` only, unless ``without_keys`` says that everybody may ask.
        grpc_port: where to listen for gRPC, too; None for nowhere.
        replicas: processes of each model; 0, the default, for one on each core, up to four, and one of a model that
            writes or is large. threads: cores for all of them; 0, the default, for all that this process may use.
        keys: file of hashed keys (see :func:`new_key`). operators: names of keys that may change what is served.
        apart: compute every input by itself where the answer to one would depend on what is asked beside it, as in
            networks that scale their activations over a whole batch.
        canary: versions that answer a share of the requests that say none, each ``NAME:VERSION=SHARE`` or
            ``NAME=PATH:SHARE``. shadow: versions that are asked a share of the requests afterwards, likewise.
        review: file of cases that people are to judge; None for none.
        guards: file of rules for what goes in and comes out (see ``serve.rules``); None for none.
        limits: changes of ``serve.limits.Limits``, each ``name=value``.
        log: file to which a line is added for each request, without anything of what it says; ``-`` for stdout, None
            for none. log_format: ``json``, which is the default, or ``text``.
        ray: serve on Ray Serve (see ``serve.ray``): on the cluster that ``RAY_ADDRESS`` names, else on one that is
            started for it and that this machine alone reaches; ``replicas`` actors there serve all models each.
            ray_autoscale: ``MIN:MAX`` of them instead, by requests on their way.
        on_ready: called once every model answers.

    Raises:
        InputError: names, limits, keys, rules or an address that cannot be used. ModelError, UnsafeFile: no model.
        MissingExtra: what serves is not installed. CandidateFailed: a model that cannot be opened.
    """
    check_extra()
    options = (read_options(config) if config is not None else ServeOptions()).changed(
        host=host, port=port, grpc_port=grpc_port, replicas=replicas, threads=threads,
        keys=str(keys) if keys is not None else None, without_keys=without_keys, apart=apart,
        operators=tuple(operators), review=str(review) if review is not None else None,
        log=str(log) if log is not None else None, log_format=log_format,
        guards=str(guards) if guards is not None else None, ray=ray, ray_autoscale=ray_autoscale,
    )  # fmt: skip
    if options.grpc_port is not None:
        from lighten.serve import grpc_server

        grpc_server.check_extra()
    bounds = Limits().changed([*options.told_limits, *limits])
    plan = plan_of([models] if isinstance(models, str) else models, options.models, canary, shadow)
    known = read_keys(options.keys) if options.keys is not None else None
    check_operators(options.operators, known)
    local = known is None and not options.without_keys and is_loopback(options.host)
    site = Site(options, bounds, plan, known, local, grpc_address(options, known))
    if options.ray or options.ray_autoscale:
        from lighten.verbs.serve_on_ray import check_ray, serve_on_ray

        check_fit(plan, options)
        check_ray(options)
        found = versions_of(site)
        told = (lambda address: on_ready(Serving(address, found))) if on_ready is not None else str
        serve_on_ray(options, bounds, known, partial(_hosted_there, replace(site, plan=plan.absolute)), told)
        return
    with ExitStack() as stack:
        listening = stack.enter_context(listen(options.host, options.port, known, unlocked=options.without_keys))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lighten-models-")))
        ahead = begun(plan, options, bounds, scratch, stack)
        check_fit(plan, options)
        hosted, versions = hosted_at(site, stack, ahead)

        def ready() -> None:
            if on_ready is not None:
                where = hosted.beside.address if hosted.beside is not None else ""
                on_ready(Serving(address_of(listening), versions(), where))

        run(hosted, listening, bounds, ready)


@dataclass(frozen=True)
class Site:
    """What one process serves.

    Attributes:
        options, limits, plan, keys: as the user told them, with files that were read. local: see ``App``.
        grpc: where gRPC is to listen; None for nowhere.
    """

    options: ServeOptions
    limits: Limits
    plan: Plan
    keys: Keys | None
    local: bool
    grpc: tuple[str, int] | None = None


def check_fit(plan: Plan, options: ServeOptions) -> None:
    """Refuse models that do not fit into memory together. Raises what ``check_models_fit`` does."""
    from lighten.verbs.load import check_models_fit
    from lighten.verbs.serve_guards import GuardPlan

    helpers = GuardPlan(options.guards).models.values()
    check_models_fit([*(one.model for one in plan.opened for _ in range(options.replicas or 1)), *helpers])


def hosted_at(
    site: Site, stack: ExitStack, ahead: Mapping[Named, Servable] | None = None
) -> tuple[Hosted, Callable[[], tuple[ServedVersion, ...]]]:
    """Models that are ready to be opened with the application over them, and what is said of them once they answer.

    Args:
        stack: frees what they lie in. ahead: models that are being opened already.

    Raises:
        ModelError, UnsafeFile: a model cannot be used. InputError: a file cannot, or what traces are to be sent by.
    """
    from lighten.serve.models import Models
    from lighten.serve.recorded import Recorded
    from lighten.serve.review import Review
    from lighten.verbs.serve_guards import GuardPlan
    from lighten.verbs.serve_models import Openers

    options, limits, plan = site.options, site.limits, site.plan
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lighten-models-")))
    cases = stack.enter_context(closing(Review(options.review, limits))) if options.review is not None else None
    openers = Openers(plan.named, options, limits, scratch, ahead)
    openers.guarding = guards = GuardPlan(options.guards).open(openers.helper, cases)
    made = [openers.open(one) for one in plan.opened]
    guards.check([model.source for model in made], list(plan.traffic))
    guards.cover_logs()
    guards.cover_cases(cases)
    recorders, families = recording(options, stack)
    helpers = list(guards.helpers.values())
    models = Models(made, plan.traffic, unloaded=sorted(plan.unloaded), opener=openers, helpers=helpers)
    app = application(
        models, limits, site.keys, local=site.local, cases=cases, operators=options.operators, more=families,
        changing=not options.ray,
    )  # fmt: skip

    def told() -> tuple[ServedVersion, ...]:
        return tuple(openers.told(one.source, plan.traffic, one.engine) for one in made)

    beside = None
    if site.grpc is not None:
        beside = grpc_application(models, limits, site.grpc, site.keys, app, recorders)
    return Hosted(models, Recorded(app, recorders) if recorders else app, app.metrics, beside), told


def _hosted_there(site: Site, options: ServeOptions, stack: ExitStack) -> Hosted:
    """The same in another process, with options of its own."""
    return hosted_at(replace(site, options=options), stack)[0]


def versions_of(site: Site) -> tuple[ServedVersion, ...]:
    """What is said of versions that are opened elsewhere. Raises what :func:`hosted_at` does."""
    from lighten.verbs.serve_models import Openers

    with tempfile.TemporaryDirectory(prefix="lighten-models-") as scratch:
        openers = Openers(site.plan.named, site.options, site.limits, Path(scratch))
        found = [openers.find(one) for one in site.plan.opened]
        return tuple(openers.told(source, site.plan.traffic, source.engine.version()) for source in found)


def recording(options: ServeOptions, stack: ExitStack) -> tuple[list[Recorder], list[Callable[[], Iterable[Family]]]]:
    """Who hears of each request, in order, and what ``/metrics`` has of them. stack: closes them in the end.

    Raises:
        InputError: a log that cannot be written, or an exporter of traces that is not installed.
    """
    from lighten.serve.request_log import RequestLog
    from lighten.serve.tracing import tracing

    recorders: list[Recorder] = []
    families: list[Callable[[], Iterable[Family]]] = []
    if (traces := tracing()) is not None:  # first, so that lines have the ids of traces
        recorders.append(stack.enter_context(closing(traces)))
    if options.log is not None:
        lines = stack.enter_context(closing(RequestLog(options.log, options.log_format)))
        recorders.append(lines)
        families.append(lines.families)
    return recorders, families


def grpc_address(options: ServeOptions, keys: Keys | None) -> tuple[str, int] | None:
    """Where gRPC is to listen, which can be listened at now; None for nowhere.

    Raises:
        InputError: see ``server.listen``.
    """
    if options.grpc_port is None:
        return None
    with listen(options.host, options.grpc_port, keys, unlocked=options.without_keys, option="--grpc-port") as probe:
        return probe.getsockname()[0], options.grpc_port


def check_operators(operators: Sequence[str], keys: Keys | None) -> None:
    """Refuse operators who have no key.

    Raises:
        InputError: there are no keys. UnknownName: none of this name.
    """
    if operators and keys is None:
        raise InputError("Operators are told by their keys, and no keys were given.", fix="give --keys FILE, too")
    for name in operators:
        if keys is not None and name not in keys.names:
            raise UnknownName("key", name, keys.names)


def new_key(keys: str | Path, name: str) -> str:
    """Make a key, and keep its hash in a file. Returns the key, which is kept nowhere.

    Raises:
        InputError: no such name, one that has a key, or a file that cannot be written.
    """
    return make_key(keys, name)


def application(
    models: Models,
    limits: Limits,
    keys: Keys | None = None,
    *,
    local: bool = False,
    cases: Review | None = None,
    operators: Sequence[str] = (),
    more: Sequence[Callable[[], Iterable[Family]]] = (),
    changing: bool = True,
) -> App:
    """The ASGI application over models, with every protocol that there is.

    Args:
        keys, local, operators: see ``App``. cases: for people to judge; None where none are kept.
        more: what else ``/metrics`` has. changing: whether versions can be switched, loaded and unloaded.
    """
    from lighten.serve import guarding, health, openai, openapi, page, predict, review, status, v2, versions
    from lighten.serve.app import App
    from lighten.serve.shadow import Shadow

    app = App((), limits, keys, local=local, operators=operators)
    models.observer = beside = Shadow(models, limits, cases)
    families = [beside.families, lambda: versions.families(models), lambda: guarding.families(models), *more]
    families += [cases.families] if cases is not None else []
    app.metrics = partial(health.metrics_of, models, app.strays, families)
    routes = [
        *predict.routes(models, limits),
        *v2.routes(models, limits),
        *openai.routes(models, limits),
        *versions.routes(models, beside, limits),
        *review.routes(cases),
        *health.routes(models, app.metrics),
        status.route(models, limits, cases, app.operates if changing else None),
    ]
    routes = [route for route in routes if changing or not route.operates]
    app.answer([*routes, *page.routes(), openapi.route(routes, locked=keys is not None)])
    return app


def grpc_application(
    models: Models,
    limits: Limits,
    address: tuple[str, int],
    keys: Keys | None,
    app: App,
    recorders: Sequence[Recorder] = (),
) -> GrpcServer:
    """The same models over gRPC.

    Args:
        address: where to listen, with the port that was asked for. app: whose refusals they are counted with.
        recorders: hear of each call once it is over.
    """
    from lighten.serve import grpc_health, v2_grpc
    from lighten.serve.grpc_server import GrpcServer

    procedures = [*v2_grpc.procedures(models, limits), *grpc_health.procedures(models, (v2_grpc.SERVICE,))]
    return GrpcServer(procedures, address, limits, keys, strays=app.strays, operates=app.operates, recorders=recorders)
