"""lighten serve"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighten.cli.options import Json
from lighten.core.errors import InputError

if TYPE_CHECKING:
    from lighten.verbs.serve import Serving


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Winners, run folders, or any artifacts that can be opened; NAME=PATH or NAME:VERSION=PATH names one.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            help="TOML file with any of these options, and models; the command line wins.", show_default=False
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen at, 127.0.0.1 by default; 0.0.0.0 for all, which needs --keys."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen at, 8000 by default; 0 for one that is free.", min=0, max=65535)
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            help="Port to listen at for gRPC, such as 8001; none by default.", min=0, max=65535, show_default=False
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(help="Processes of each model, which share the cores; by default as many as are sensible.", min=0),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Cores to use; 0, the default, for all that this process may use.", min=0)
    ] = None,
    keys: Annotated[
        str | None, typer.Option(help="File of hashed keys; whoever has none of them is refused.", show_default=False)
    ] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a key that may switch, load and unload versions, and see --review; repeat for several."
        ),
    ] = None,
    canary: Annotated[
        list[str] | None,
        typer.Option(
            help="A version that answers a share of the requests that say none: NAME:VERSION=SHARE or NAME=PATH:SHARE."
        ),
    ] = None,
    shadow: Annotated[
        list[str] | None,
        typer.Option(
            help="A version that is asked a share of the requests once they are answered, and compared: "
            "NAME:VERSION=SHARE or NAME=PATH:SHARE."
        ),
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            help="Make a key of this name, write its hash to --keys, show it once, and leave.", metavar="NAME"
        ),
    ] = None,
    without_keys: Annotated[
        bool | None,
        typer.Option("--without-keys", help="Let everybody in who reaches --host, though it is not loopback."),
    ] = None,
    apart: Annotated[
        bool | None,
        typer.Option(
            "--apart", help="Compute every input by itself where its answer would depend on what is asked beside it."
        ),
    ] = None,
    review: Annotated[
        str | None,
        typer.Option(
            help="File in which cases are kept for people to judge; made where there is none.", show_default=False
        ),
    ] = None,
    guards: Annotated[
        str | None,
        typer.Option(
            help="File of rules for what goes in and comes out, in TOML; see docs/guards.md.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="A limit of the server, such as deadline=10 or body=1000000; repeat for several."),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            help="File to which a line is added for each request, without its texts; - for stdout.", show_default=False
        ),
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(help="Lines of --log as json, which is the default, or as text.", show_default=False)
    ] = None,
    ray: Annotated[
        bool | None,
        typer.Option("--ray", help="Serve on Ray: on the cluster that RAY_ADDRESS names, else on one of its own."),
    ] = None,
    ray_autoscale: Annotated[
        str | None,
        typer.Option(help="Replicas that Ray keeps by how much is asked.", metavar="MIN:MAX", show_default=False),
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Print a dashboard of Grafana for /metrics, and leave.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Serve models over HTTP: POST /predict/NAME, the Open Inference Protocol v2 below /v2, and for models that write
    OpenAI's protocol below /v1; with --grpc-port the Open Inference Protocol over gRPC, too.

    It listens on this machine only, unless there are keys. SIGTERM and Ctrl-C finish what runs and then end it.
    """
    from lighten.verbs import serve as verb

    if new_key is not None:
        if keys is None or models:
            raise InputError(
                "--new-key makes a key and serves nothing.", fix="lighten serve --new-key NAME --keys FILE"
            )
        sys.stdout.write(verb.new_key(keys, new_key) + "\n")
        sys.stderr.write(f"It is shown this once; its hash stands in {keys}.\n")
        return
    if dashboard:
        from lighten.serve import dashboard as grafana

        sys.stdout.write(json.dumps(grafana.dashboard(), indent=1) + "\n")
        return
    if log_format is not None and log is None and config is None:
        raise InputError("--log-format was given, and no log is written.", fix="add --log FILE, or --log - for stdout")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING, stream=sys.stderr)

    def ready(serving: Serving) -> None:
        if as_json:
            sys.stdout.write(json.dumps(serving.to_json(), ensure_ascii=False) + "\n")
            sys.stdout.flush()
            return
        for model in serving.models:
            several = len({m.name for m in serving.models}) < len(serving.models)
            roles = f" ({', '.join(model.roles)})" if model.roles else ""
            version = f" version {model.version}{roles}" if several else ""
            sys.stderr.write(f"{model.name}{version}: {serving.address}/predict/{model.name} ({model.engine})\n")
            if not model.batch_invariant:
                sys.stderr.write(
                    "  its answers depend a little on what is asked beside them; with --apart, they do not\n"
                )
        if serving.grpc:
            sys.stderr.write(f"gRPC: {serving.grpc} (inference.GRPCInferenceService, grpc.health.v1.Health)\n")
        sys.stderr.write(f"Ready. {serving.address}/ is its page, /openapi.json has every path; Ctrl-C ends it.\n")

    verb.serve(
        models or [],
        config=config,
        host=host,
        port=port,
        grpc_port=grpc_port,
        replicas=replicas,
        threads=threads,
        keys=keys,
        without_keys=without_keys,
        apart=apart,
        operators=operator or (),
        canary=canary or (),
        shadow=shadow or (),
        review=review,
        guards=guards,
        limits=limit or (),
        log=log,
        log_format=log_format,
        ray=ray,
        ray_autoscale=ray_autoscale,
        on_ready=ready,
    )
