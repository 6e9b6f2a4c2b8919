"""lighten apply"""

from __future__ import annotations

from typing import Annotated

import typer

from lighten.cli.options import DropEmpty, DropRare, Labels, Longest, MergeLabels, SplitColumn, Threads, one_or_many


def command(
    recipe: Annotated[str, typer.Argument(help="A recipe in TOML, such as the run.toml of a run.")],
    out: Annotated[str, typer.Option(help="Folder of the artifact it makes; must not exist yet.", show_default=False)],
    data: Annotated[str | None, typer.Option(help="Data to use instead of the recipe's own.")] = None,
    split_column: SplitColumn = None,
    labels: Labels = None,
    drop_empty: DropEmpty = False,
    longest: Longest = None,
    merge_labels: MergeLabels = None,
    drop_rare: DropRare = 0,
    threads: Threads = 0,
) -> None:
    """Carry out one recipe, step by step, and leave the artifact it makes."""
    from lighten.cli.working import working
    from lighten.verbs.apply import apply

    with working("working") as shown:
        made = apply(
            recipe,
            out,
            data=data,
            labels=one_or_many(labels),
            split_column=split_column,
            drop_empty=drop_empty,
            longest=longest,
            merge_labels=merge_labels,
            drop_rare=drop_rare,
            threads=threads,
            progress=shown.progress,
            note=lambda text: typer.echo(text, err=True),
        )
    if made.meta.get("classes", {}).get("note"):
        typer.echo(made.meta["classes"]["note"], err=True)
    typer.echo(f"{made.path}  {made.format}  {made.size / 1e6:.1f} MB  {made.id[:16]}")
