"""Where a run reports what it is doing. The command line draws it; a Python caller may ignore it."""

from __future__ import annotations

from typing import Protocol

from lighten.core.outcome import Constant
from lighten.core.result import Candidate


class Listener(Protocol):
    """Is told everything that a person waiting would want to know."""

    def note(self, text: str) -> None:
        """One sentence worth keeping on the screen."""

    def warning(self, text: str) -> None:
        """One sentence that must not be missed: it puts what follows in doubt."""

    def no_better(self, constant: Constant) -> None:
        """The original is not shown to be better than an answer without a model."""

    def phase(self, name: str, seconds_left: float | None) -> None:
        """A phase begins: data, original, stock, search, proof, report."""

    def candidate(self, key: int, name: str) -> None:
        """Work on a candidate begins."""

    def progress(self, done: float, total: float, message: str) -> None:
        """How far the current piece of work is; ``total`` is 0 where nobody knows how much it is."""

    def finished(self, candidate: Candidate) -> None:
        """A candidate was measured, failed, or was stopped."""

    def best(self, candidate: Candidate) -> None:
        """A new best candidate on the ``select`` part."""


class Quiet:
    """A listener that says nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def warning(self, text: str) -> None:
        """Say nothing."""

    def no_better(self, constant: Constant) -> None:
        """Say nothing."""

    def phase(self, name: str, seconds_left: float | None) -> None:
        """Say nothing."""

    def candidate(self, key: int, name: str) -> None:
        """Say nothing."""

    def progress(self, done: float, total: float, message: str) -> None:
        """Say nothing."""

    def finished(self, candidate: Candidate) -> None:
        """Say nothing."""

    def best(self, candidate: Candidate) -> None:
        """Say nothing."""
