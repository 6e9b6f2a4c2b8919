"""lighten optimize"""

from __future__ import annotations

from typing import Annotated

import typer

from lighten.cli import options


def command(
    model: Annotated[
        str,
        typer.Argument(
            help="HF folder, hub id, GGUF file, sample:NAME, module:function of yours, or an artifact of lighten."
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="csv, tsv, jsonl, parquet, text files, HF dataset folder or hub id, or sample:NAME.",
            show_default=False,
        ),
    ],
    keep: options.Keep = None,
    under: options.Under = None,
    minimize: options.Minimize = None,
    task: options.TaskName = None,
    prompt: options.Template = None,
    answer: options.Answer = None,
    choices: options.Choices = None,
    shots: options.Shots = 0,
    time: options.Time = "15m",
    candidates: options.Candidates = None,
    engines: options.Engines = None,
    out: options.Out = None,
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
    seed: options.Seed = 0,
    resume: options.Resume = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.QuietOption = False,
) -> None:
    """Find the cheapest version of a model that provably still works on your data.

    Exit code 0: a winner; 2: bad input; 3: nothing met the budget; 4: quality is proved, but what holds missed a
    ceiling in the last measurement; 5: nothing is proved, because the original failed on the proof rows; 130:
    interrupted (resume with --resume).
    """
    asked = options.arguments(locals(), "dry_run", "as_json", "quiet")
    from lighten.cli import planned
    from lighten.cli.outcome import printed
    from lighten.cli.screen import watched
    from lighten.cli.working import working
    from lighten.verbs.optimize import optimize
    from lighten.verbs.plan import plan

    if dry_run:
        with working("looking") as shown:
            found = plan(**asked, listener=shown)
        planned.printed(found, as_json=as_json)
        return
    summary = watched(lambda listener: optimize(**asked, listener=listener), quiet=quiet)
    printed(summary, as_json=as_json)
