"""What a person sees while a verb works that has no screen of its own: a status line, or plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text

from lighten.cli.screen import PlainLines
from lighten.search.listener import Quiet


class Working(Quiet):
    """Told how far the work is; also a listener that shows nothing else.

    Args:
        status: the line of a terminal; None where there is none. lines: what is printed then.
    """

    def __init__(self, status: Status | None, lines: PlainLines) -> None:
        self._status, self._lines = status, lines

    def progress(self, done: float, total: float, message: str) -> None:
        """How much is done, where anybody knows; in a pipe, a line now and then."""
        if self._status is None:
            self._lines.progress(done, total, message)
        else:
            self._status.update(Text(f"{done / total:.0%} {message}" if total else message))

    def stage(self, text: str) -> None:
        """One sentence for each stage of the work."""
        if self._status is None:
            self._lines.note(text)
        else:
            self._status.update(Text(text))


@contextmanager
def working(what: str) -> Iterator[Working]:
    """Show on stderr that ``what`` goes on."""
    console = Console(stderr=True, highlight=False)
    lines = PlainLines(console)
    if not console.is_terminal:
        yield Working(None, lines)
        return
    with console.status(Text(what)) as status:
        yield Working(status, lines)
