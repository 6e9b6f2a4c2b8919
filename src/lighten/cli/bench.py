"""lighten bench"""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lighten.cli.options import Json, Longest, Prompt, Seed, Text, Threads


def command(
    models: Annotated[
        list[str],
        typer.Argument(help="Artifacts, runs, HF folders, GGUF files, hub ids or samples; ratios are to the first."),
    ],
    data: Annotated[str, typer.Option(help="Inputs to ask; labels are not needed.", show_default=False)],
    text: Text = None,
    prompt: Prompt = None,
    documents: Annotated[
        int, typer.Option(help="Language models: documents or prompts to judge quality by; 0 for none.", min=0)
    ] = 24,
    seconds: Annotated[float, typer.Option(help="Seconds of measuring for each model.", min=1.0)] = 10.0,
    longest: Longest = None,
    threads: Threads = 0,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Measure models side by side, in turns: latency, throughput, memory, size, load, CPU-seconds, energy.

    Language models: bits per byte, time per token, tokens per second at 1, 4 and 16 streams, prefill.
    """
    from rich.console import Console

    from lighten.cli.working import working
    from lighten.reports import table
    from lighten.verbs.bench import bench

    with working("measuring") as shown:
        found = bench(
            models,
            data,
            text=text,
            prompt=prompt,
            documents=documents,
            seconds=seconds,
            longest=longest,
            threads=threads,
            seed=seed,
            progress=shown.progress,
        )
    for note in found.notes:
        Console(stderr=True).print(note, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        console = Console()
        named = [(name, {r.meter: r for r in results}) for name, results in found.results.items()]
        console.print(table.bench(named, width=console.width))
        for name, result in ((name, result) for name, results in found.results.items() for result in results):
            if result.unsure:
                console.print(f"{name}: {result.meter}: {result.note}", markup=False)
        for name, reason in found.failed.items():
            console.print(f"{name}: {reason}", markup=False)
