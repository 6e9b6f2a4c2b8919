"""Texts that match regular expressions.

The expressions are RE2's, so that none of them can keep the server busy, whatever it is sent. A text that is being
written is held back only from where a match may have begun: an expression with ``.*`` in it may hold back all the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lighten.core.guard import Finder, GuardError, TextGuard
from lighten.core.step import setting
from lighten.guards._expression import Expression, Expressions


@dataclass(frozen=True)
class Patterns(TextGuard):
    """Finds what regular expressions in RE2's syntax match."""

    patterns: tuple[str, ...] = setting((), "Regular expressions in RE2's syntax, in single quotes.")
    instead: str = setting("[removed]", "What stands in the place of what is taken out.")

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if not self.patterns:
            raise GuardError("It has no patterns.", fix="patterns = ['\\bAKIA[0-9A-Z]{16}\\b']")

    def finder(self, folder: Path) -> Finder:
        """See :meth:`TextGuard.finder`."""
        return Expressions([Expression(str(one), self.instead) for one in self.patterns])
