"""What a person sees while a run works: one live screen in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lighten.core.outcome import Constant
from lighten.core.progress import as_clock
from lighten.core.result import Candidate
from lighten.reports.baselines import ratio_words
from lighten.reports.constant import constant_sentence
from lighten.reports.numbers import number
from lighten.search.listener import Listener, Quiet

Found = TypeVar("Found")
PHASES = {
    "data": "Reading and checking",
    "original": "Preparing the original",
    "stock": "Measuring what a user could pick without lighten",
    "search": "Searching",
    "training": "Training",
    "sweep": "Searching for settings",
    "proof": "Proving on rows that nothing has seen",
    "report": "Measuring the ladder and writing the report",
}
SHOWN = 8
ANSWERING = (("accuracy", 3), ("rows_per_second", 0), ("p50", 2), ("size", 0))
WRITING = (("bits_per_byte", 3), ("exact_match", 3), ("accuracy", 3), ("decode", 0), ("tpot", 2), ("size", 0))
"""Quantities of a candidate that its line shows, with decimals; those of a language model."""


def numbers(candidate: Candidate) -> str:
    """A candidate's main numbers in one line."""
    if candidate.state != "ok":
        return f"{candidate.state}: {candidate.reason.splitlines()[0] if candidate.reason else ''}"
    parts = []
    for name, digits in WRITING if "decode" in candidate.results else ANSWERING:
        result = candidate.results.get(name)
        if result is not None and result.value is not None:
            times = ratio_words(result, "en") if candidate.key else ""
            unit = "" if result.unit == "fraction" else f" {result.unit}"
            small = result.value < 10.0 ** (1 - digits)
            value = number(result.value, 2) if small else f"{result.value:,.{digits}f}"
            parts.append(f"{name} {value}{unit}{f' ({times})' if times else ''}")
    return ", ".join(parts)


class PlainLines:
    """A listener that prints one line for each thing worth telling. For logs, pipes and CI.

    Args:
        console: where to print (stderr). every: seconds between two lines of progress.
    """

    def __init__(self, console: Console, every: float = 15.0) -> None:
        self.console, self.every = console, every
        self._began = self._last = time.monotonic()

    def _say(self, text: str) -> None:
        self.console.print(f"[{as_clock(time.monotonic() - self._began)}] {text}", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print it."""
        self._say(text)

    def warning(self, text: str) -> None:
        """Print it, in red where there are colours."""
        self.console.print(Text(f"WARNING: {text}", style="bold red"), soft_wrap=True)

    def no_better(self, constant: Constant) -> None:
        """Print the sentence as a warning."""
        self.warning(constant_sentence(constant, "en"))

    def phase(self, name: str, seconds_left: float | None) -> None:
        """Print its name and the time left."""
        left = "" if seconds_left is None or seconds_left == float("inf") else f" ({as_clock(seconds_left)} left)"
        self._say(f"{PHASES.get(name, name)}{left}")

    def candidate(self, key: int, name: str) -> None:
        """Print its name."""
        self._say(f"candidate {key}: {name}")

    def progress(self, done: float, total: float, message: str) -> None:
        """Print it now and then; what nobody knows the length of is said at once."""
        now = time.monotonic()
        if not total:
            self._say(f"  {message}")
        elif now - self._last >= self.every:
            self._last = now
            self._say(f"  {done / total:.0%} {message}")

    def finished(self, candidate: Candidate) -> None:
        """Print its numbers."""
        self._say(f"candidate {candidate.key}: {numbers(candidate)}")

    def best(self, candidate: Candidate) -> None:
        """Print that it leads."""
        self._say(f"best so far: candidate {candidate.key}, {candidate.name}")

    def __enter__(self) -> PlainLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class LiveScreen:
    """A listener that keeps one screen up to date: phase, candidate in hand, best so far, time left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._screen, transient=True)
        self._began = time.monotonic()
        self._phase, self._until = "data", float("inf")
        self._hand = self._message = ""
        self._done, self._total = 0.0, 0.0
        self._finished: list[Candidate] = []
        self._best: Candidate | None = None

    def __enter__(self) -> LiveScreen:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def note(self, text: str) -> None:
        """Print it above the screen, where it stays."""
        self.console.print(Text(f"· {text}", style="dim"))

    def warning(self, text: str) -> None:
        """Print it in red above the screen, where it stays."""
        self.console.print(Text(text, style="bold red"))

    def no_better(self, constant: Constant) -> None:
        """Print the sentence as a warning."""
        self.warning(constant_sentence(constant, "en"))

    def phase(self, name: str, seconds_left: float | None) -> None:
        """Show it."""
        self._phase, self._hand, self._message, self._total = name, "", "", 0.0
        if seconds_left is not None:
            self._until = time.monotonic() + seconds_left

    def candidate(self, key: int, name: str) -> None:
        """Show it as the one in hand."""
        self._hand, self._message, self._total = f"{key}: {name}", "", 0.0

    def progress(self, done: float, total: float, message: str) -> None:
        """Move the bar."""
        self._done, self._total, self._message = done, total, message

    def finished(self, candidate: Candidate) -> None:
        """Add it to the list."""
        self._finished.append(candidate)
        self._message, self._total = "", 0.0

    def best(self, candidate: Candidate) -> None:
        """Show it as the best so far."""
        self._best = candidate

    def _screen(self) -> RenderableType:
        now = time.monotonic()
        head = Table.grid(padding=(0, 2))
        head.add_column(style="bold")
        head.add_column(overflow="fold")
        left = "" if self._until == float("inf") else f", {as_clock(self._until - now)} left"
        head.add_row("Phase", f"{PHASES.get(self._phase, self._phase)}  ({as_clock(now - self._began)}{left})")
        if self._phase not in ("training", "sweep"):
            head.add_row("In hand", Text(self._hand or "-"))
        if self._total:
            head.add_row("", ProgressBar(total=self._total, completed=self._done, width=40))
        head.add_row("", Text(self._message, style="dim"))
        best = f"{self._best.key}: {self._best.name}\n{numbers(self._best)}" if self._best else "none yet"
        if self._phase not in ("training", "sweep"):
            head.add_row("Best so far", Text(best))
        rows = Table(box=None, padding=(0, 1), show_header=False)
        for candidate in self._finished[-SHOWN:]:
            style = "" if candidate.state == "ok" else "dim"
            rows.add_row(str(candidate.key), Text(candidate.name, style=style), Text(numbers(candidate), style=style))
        return Panel(Group(head, rows), title="lighten", title_align="left", border_style="blue")


def watched(work: Callable[[Listener], Found], *, quiet: bool) -> Found:
    """Do the work before a live screen, or with plain lines where stderr is no terminal."""
    if quiet:
        return work(Quiet())
    with screen() as listener:
        return work(listener)


def screen() -> LiveScreen | PlainLines:
    """A listener that shows on stderr how far the work is: in a terminal one live screen, elsewhere plain lines.

    To be used as ``with lighten.screen() as listener: lighten.train(model, data, listener=listener)``, and so with
    ``optimize``.
    """
    errors = Console(stderr=True)
    return LiveScreen(errors) if errors.is_terminal else PlainLines(errors)
