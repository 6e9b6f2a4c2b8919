"""lighten apply"""

from __future__ import annotations

from typing import Annotated

import typer

from lighten.cli import options


def command(
    recipe: Annotated[str, typer.Argument(help="A recipe in TOML, such as the run.toml of a run.")],
    out: Annotated[str, typer.Option(help="Folder of the artifact it makes; must not exist yet.", show_default=False)],
    data: Annotated[str | None, typer.Option(help="Data to use instead of the recipe's own.")] = None,
    prompt: options.Prompt = None,
    answer: options.Answer = None,
    choices: options.Choices = None,
    shots: options.Shots = 0,
    text: options.Text = None,
    label: options.Label = None,
    labels: options.Labels = None,
    group: options.Group = None,
    unit: options.Unit = None,
    split_column: options.SplitColumn = None,
    drop_empty: options.DropEmpty = False,
    longest: options.Longest = None,
    merge_labels: options.MergeLabels = None,
    drop_rare: options.DropRare = 0,
    threads: options.Threads = 0,
) -> None:
    """Carry out one recipe, step by step, and leave the artifact it makes."""
    asked = options.arguments(locals())
    from lighten.cli.working import working
    from lighten.verbs.apply import apply

    with working("working") as shown:
        made = apply(**asked, progress=shown.progress, note=lambda text: typer.echo(text, err=True))
    if made.meta.get("classes", {}).get("note"):
        typer.echo(made.meta["classes"]["note"], err=True)
    typer.echo(f"{made.path}  {made.format}  {made.size / 1e6:.1f} MB  {made.id[:16]}")
