"""lighten doctor"""

from __future__ import annotations

import json
import sys

from lighten.cli.options import Json


def command(as_json: Json = False) -> None:
    """Show what this machine can do: processor, cores allowed, measured rates, engines and why some do not work."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lighten.cli.working import working
    from lighten.verbs.doctor import doctor

    with working("looking"):
        found = doctor()
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n")
        return
    here = found.environment
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    facts.add_row("processor", here.cpu)
    facts.add_row("flags", " ".join(here.flags) or "-")
    facts.add_row("cores", f"{here.cores_allowed} allowed of {here.cores}")
    facts.add_row("memory", f"{here.memory_allowed / 1e9:.1f} GB allowed of {here.memory / 1e9:.1f} GB")
    if here.bandwidth is not None and here.arithmetic is not None:
        rates = Text(f"{here.bandwidth:.1f} GB/s, {here.arithmetic:.0f} GFLOP/s (float32)")
        if here.disturbed:
            rates.append(f"  may be far too low: {here.disturbed}", style="yellow")
        facts.add_row("measured", rates)
    facts.add_row("system", f"{here.system}, Python {here.python}")
    console = Console(markup=False)
    console.print(facts)
    console.print()
    engines = Table(box=None, padding=(0, 2))
    for heading in ("engine", "works", "version or reason"):
        engines.add_column(heading)
    for engine in found.engines:
        mark = Text("yes", style="green") if engine.works else Text("no", style="red")
        engines.add_row(engine.name, mark, engine.version or f"{engine.reason} {engine.fix}".strip())
    console.print(engines)
    for hint in found.hints:
        console.print(Text(f"· {hint}"))
