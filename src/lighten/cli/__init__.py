"""The command line: one file per verb. Prints results to stdout, everything else to stderr."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType

import typer

from lighten.cli import apply, bench, catalog, chat, compare, doctor, engine, optimize, predict, report, sample
from lighten.core.errors import Interrupted, LightenError

app = typer.Typer(
    name="lighten",
    help="Bring a model, your data and a budget: get the cheapest version that provably still works.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (optimize, compare, bench, predict, chat, apply, report, catalog, doctor, sample):
    app.command(name=verb.__name__.rpartition(".")[2])(verb.command)
app.add_typer(engine.app, name="engine")


@app.callback()
def version(
    ctx: typer.Context,
    show: bool = typer.Option(False, "--version", help="Print the version and leave.", is_eager=True),
) -> None:
    """Bring a model, your data and a budget: get the cheapest version that provably still works."""
    if show:
        from lighten import __version__

        typer.echo(f"lighten {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit code 0 done, 2 bad input or usage, 3 to 5 no winner, 130 interrupted."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(args=list(arguments) if arguments is not None else None, standalone_mode=True)
    except LightenError as error:
        show(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        show(Interrupted("Interrupted."))
        sys.exit(Interrupted.exit_code)
    except BrokenPipeError:
        sys.exit(0)


def show(error: LightenError) -> None:
    """Print an error for the person who reads it, on stderr."""
    from rich.console import Console
    from rich.text import Text

    lines = str(error).split("\n")
    text = Text()
    text.append("Error: ", style="bold red")
    text.append("\n".join(lines))
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
