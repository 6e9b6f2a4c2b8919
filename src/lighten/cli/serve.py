"""lighten serve"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighten.cli.options import Json, Threads
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
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for all, which needs --keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for one that is free.", min=0, max=65535)] = 8000,
    replicas: Annotated[int, typer.Option(help="Processes of each model, which share the cores.", min=1)] = 1,
    threads: Threads = 0,
    keys: Annotated[
        str | None, typer.Option(help="File of hashed keys; whoever has none of them is refused.", show_default=False)
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            help="Make a key of this name, write its hash to --keys, show it once, and leave.", metavar="NAME"
        ),
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Let everybody in who reaches --host, though it is not loopback.")
    ] = False,
    review: Annotated[
        str | None,
        typer.Option(
            help="File in which cases are kept for people to judge; made where there is none.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="A limit of the server, such as deadline=10 or body=1000000; repeat for several."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Serve models over HTTP: POST /predict/NAME, the Open Inference Protocol v2 below /v2, and for models that write
    OpenAI's protocol below /v1.

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
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING, stream=sys.stderr)

    def ready(serving: Serving) -> None:
        if as_json:
            sys.stdout.write(json.dumps(serving.to_json(), ensure_ascii=False) + "\n")
            sys.stdout.flush()
            return
        for model in serving.models:
            version = f" version {model.version}" if len({m.name for m in serving.models}) < len(serving.models) else ""
            sys.stderr.write(f"{model.name}{version}: {serving.address}/predict/{model.name} ({model.engine})\n")
        sys.stderr.write(f"Ready. {serving.address}/openapi.json has every path; Ctrl-C ends it.\n")

    verb.serve(
        models or [],
        host=host,
        port=port,
        replicas=replicas,
        threads=threads,
        keys=keys,
        without_keys=without_keys,
        review=review,
        limits=limit or (),
        on_ready=ready,
    )
