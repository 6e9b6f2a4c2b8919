"""The command line: one file per verb. Prints results to stdout, everything else to stderr."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from lighten.cli import (
    apply,
    bench,
    catalog,
    chat,
    clean,
    compare,
    doctor,
    engine,
    export,
    optimize,
    predict,
    report,
    resume,
    sample,
    schema,
    serve,
    train,
    versions,
)
from lighten.cli.ending import ended

app = typer.Typer(
    name="lighten",
    help="Bring a model, your data and a budget: get the cheapest version that provably still works.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    train,
    optimize,
    resume,
    compare,
    bench,
    predict,
    serve,
    versions,
    chat,
    export,
    apply,
    report,
    clean,
    catalog,
    doctor,
    sample,
    schema,
):
    app.command(name=verb.__name__.rpartition(".")[2])(verb.command)
app.add_typer(engine.app, name="engine")


def version(asked: bool) -> None:
    """Print the version and leave, before a verb is missed."""
    if asked:
        from lighten import __version__

        typer.echo(f"lighten {__version__}")
        raise typer.Exit


@app.callback()
def lighten(
    asked: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=version)
    ] = False,
    code: Annotated[
        list[Path] | None,
        typer.Option(
            "--code", help="Folder whose Python code may be run, for networks of your own (not only named ones)."
        ),
    ] = None,
) -> None:
    """Bring a model, your data and a budget: get the cheapest version that provably still works."""
    if code:
        os.environ["LIGHTEN_CODE"] = os.pathsep.join(str(folder.absolute()) for folder in code)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit code 0 done, 1 failed, 2 bad input or usage, 3 to 5 no winner, 130 interrupted."""
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no text of a user's is worth an exception
    try:
        try:
            app(args=list(arguments) if arguments is not None else None, standalone_mode=True)
        finally:
            if sys.stdout is not None:  # it is none where a program is started without one
                sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the last place before a traceback, which no user should meet
        sys.exit(ended(error))


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
