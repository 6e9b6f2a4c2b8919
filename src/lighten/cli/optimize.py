"""lighten optimize"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import (
    Choices,
    DropEmpty,
    DropRare,
    Group,
    Json,
    Label,
    Labels,
    Longest,
    MergeLabels,
    QuietOption,
    Seed,
    SplitColumn,
    Text,
    Threads,
    Unit,
    one_or_many,
)


def command(
    model: Annotated[str, typer.Argument(help="HF folder, hub id, GGUF file, sample:NAME, or an artifact of lighten.")],
    data: Annotated[
        str,
        typer.Option(
            help="csv, tsv, jsonl, parquet, text files, HF dataset folder or hub id, or sample:NAME.",
            show_default=False,
        ),
    ],
    keep: Annotated[
        list[str] | None,
        typer.Option(help='Quality floor to prove, such as "accuracy>=-1pt" (at most 1 point below the original).'),
    ] = None,
    under: Annotated[
        list[str] | None, typer.Option(help='Ceiling, such as "p95<=5ms", "memory<=400MB", "size<=50%".')
    ] = None,
    minimize: Annotated[
        str | None,
        typer.Option(
            help="What to make as good as possible: cpu, p50, p95, throughput, memory, size; for language models also "
            "tpot, decode, ttft, prefill. Default: tpot for language models, else cpu.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="text-classification or text-generation. Default: what the model is for.", show_default=False
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help='Language models: template such as "Review: {text}\\nSentiment:".')
    ] = None,
    answer: Annotated[str | None, typer.Option(help="Language models: column with the right answer.")] = None,
    choices: Choices = None,
    shots: Annotated[int, typer.Option(help="Language models: examples put before every prompt.", min=0)] = 0,
    time: Annotated[str, typer.Option(help="Time of the search, such as 15m. Fine-tuning comes before it.")] = "15m",
    candidates: Annotated[int | None, typer.Option(help="The most candidates to try.", min=1)] = None,
    engines: Annotated[
        list[str] | None, typer.Option(help="Engine to use; repeat for several. Default: all that work here.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="Folder of the run; a new one below runs/ by default.")] = None,
    text: Text = None,
    label: Label = None,
    labels: Labels = None,
    group: Group = None,
    unit: Unit = None,
    split_column: SplitColumn = None,
    drop_empty: DropEmpty = False,
    longest: Longest = None,
    merge_labels: MergeLabels = None,
    drop_rare: DropRare = 0,
    threads: Threads = 0,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Take up the run in --out where it stopped.")] = False,
    as_json: Json = False,
    quiet: QuietOption = False,
) -> None:
    """Find the cheapest version of a model that provably still works on your data.

    Exit code 0: a winner; 2: bad input; 3: nothing met the budget; 4: quality is proved, but what holds missed a
    ceiling in the last measurement; 5: nothing is proved, because the original failed on the proof rows; 130:
    interrupted (resume with --resume).
    """
    from rich.console import Console

    from lighten.cli.screen import LiveScreen, PlainLines
    from lighten.core.summary import EXIT_CODES
    from lighten.reports import table
    from lighten.search.listener import Listener, Quiet
    from lighten.verbs.optimize import optimize

    errors = Console(stderr=True)
    asked = {
        "keep": keep or (),
        "under": under or (),
        "minimize": minimize,
        "task": task,
        "prompt": prompt,
        "answer": answer,
        "choices": one_or_many(choices),
        "shots": shots,
        "time": time,
        "candidates": candidates,
        "engines": one_or_many(engines),
        "out": out,
        "text": text,
        "label": label,
        "labels": one_or_many(labels),
        "group": group,
        "unit": unit,
        "split_column": split_column,
        "drop_empty": drop_empty,
        "longest": longest,
        "merge_labels": merge_labels,
        "drop_rare": drop_rare,
        "threads": threads,
        "seed": seed,
        "resume": resume,
    }
    listener: Listener
    if quiet:
        listener = Quiet()
        summary = optimize(model, data, listener=listener, **asked)  # type: ignore[arg-type]
    else:
        with LiveScreen(errors) if errors.is_terminal else PlainLines(errors) as screen:
            summary = optimize(model, data, listener=screen, **asked)  # type: ignore[arg-type]
    if as_json:
        sys.stdout.write(json.dumps(summary.to_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        console = Console()
        console.print(table.verdict_panel(summary))
        if summary.winner is not None:
            console.print(table.ladder(summary, width=console.width))
        else:
            console.print(table.candidates(summary, width=console.width))
        if summary.nearest is not None and summary.nearest.command:
            accept = f"To accept it: {summary.nearest.command}"
            console.print(accept, markup=False, highlight=False, soft_wrap=True)
        for name in ("winner", "report"):
            if name in summary.paths:
                console.print(f"{name}: {summary.paths[name]}", markup=False, highlight=False, soft_wrap=True)
    if summary.state != "winner":
        raise typer.Exit(EXIT_CODES[summary.state])
