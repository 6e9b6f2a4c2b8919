"""What ``lighten optimize --dry-run`` prints."""

from __future__ import annotations

import json
import sys

import typer

from lighten.core.progress import as_clock
from lighten.search.disk import amount
from lighten.search.plan import Plan

SHOWN = 8
"""Names of architectures that are listed, spread from the largest to the smallest."""


def printed(plan: Plan, *, as_json: bool) -> None:
    """Print a plan as lines, or as one JSON object."""
    if as_json:
        sys.stdout.write(json.dumps(plan.to_json(), ensure_ascii=False, indent=1) + "\n")
        return
    for line in lines(plan):
        typer.echo(line)


def lines(plan: Plan) -> list[str]:
    """A plan in lines of text."""
    rows = ", ".join(f"{count:,} {name}" for name, count in plan.rows.items())
    bound = f"{as_clock(plan.seconds)} at most" if plan.seconds is not None else f"{plan.candidates} candidates at most"
    if plan.seconds is not None and plan.candidates is not None:
        bound += f", and {plan.candidates} candidates"
    found = [
        f"model     {plan.model} ({plan.task.replace('_', '-')})",
        f"data      {plan.data}: {rows}",
        f"budget    keep {', '.join(plan.keep)}; "
        + (f"under {', '.join(plan.under)}; " if plan.under else "")
        + f"minimize {plan.minimize}",
        f"time      {bound}, the proof and the last measurements included"
        + ("; fine-tuning comes before it" if plan.tunes else ""),
    ]
    if plan.disk is not None:
        found.append(f"disk      about {amount(plan.disk.usual)}; {amount(plan.disk.free)} are free")
    if plan.memory:
        needed = sum(size for name, size in plan.memory.items() if name != "available")
        found.append(f"memory    about {amount(needed)}; {amount(plan.memory['available'])} are left")
    found.append(f"engines   {', '.join(plan.engines)}")
    found += [f"{'tried' if not i else '':10}{name}" for i, name in enumerate(plan.stock)]
    if plan.architectures:
        most = min(SHOWN, len(plan.architectures))
        spread = [plan.architectures[i * (len(plan.architectures) - 1) // max(most - 1, 1)] for i in range(most)]
        found.append(f"then      {len(plan.architectures):,} smaller architectures are searched, such as")
        found += [f"{'':10}{name}" for name in spread]
    found += [f"left out  {text}" for text in plan.left_out]
    found += [f"note      {text}" for text in plan.notes]
    return [*found, f"start it  {plan.command}"]
