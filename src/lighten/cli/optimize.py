"""lighten optimize"""

from __future__ import annotations

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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be tried, what the data can prove, what it takes.")
    ] = False,
    as_json: Json = False,
    quiet: QuietOption = False,
) -> None:
    """Find the cheapest version of a model that provably still works on your data.

    Exit code 0: a winner; 2: bad input; 3: nothing met the budget; 4: quality is proved, but what holds missed a
    ceiling in the last measurement; 5: nothing is proved, because the original failed on the proof rows; 130:
    interrupted (resume with --resume).
    """
    from lighten.cli import planned
    from lighten.cli.outcome import printed, watched
    from lighten.cli.working import working
    from lighten.verbs.optimize import optimize
    from lighten.verbs.plan import plan

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
    if dry_run:
        with working("looking") as shown:
            found = plan(model, data, listener=shown, **asked)
        planned.printed(found, as_json=as_json)
        return
    summary = watched(
        lambda listener: optimize(model, data, listener=listener, **asked),  # type: ignore[arg-type]
        quiet=quiet,
    )
    printed(summary, as_json=as_json)
