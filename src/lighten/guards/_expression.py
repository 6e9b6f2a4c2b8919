"""Regular expressions that take time in proportion to the text, whatever they are and whatever the text is: RE2's.

There is no look-around and no back-reference; ``\\w``, ``\\d`` and ``\\b`` know ASCII, ``\\p{L}`` knows letters.

Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lighten.core.errors import MissingExtra
from lighten.core.guard import Finder, GuardError, Span
from lighten.guards._leftmost import Search, leftmost
from lighten.guards._prefixes import Unread, prefixes_of

MEMORY = 8 << 20
"""Most bytes that RE2 takes for one expression."""
Check = Callable[[str], int]
"""How many characters of what an expression matches are what is looked for; 0 where it is not."""


class Expression:
    """A regular expression, and what its matches may begin with.

    Args:
        pattern: in RE2's syntax. instead: what stands in the place of what it finds. check: of what it matches; None
            where all of it is what is looked for.

    Raises:
        GuardError: RE2 does not take it, or it matches nothing at all. MissingExtra: RE2 is not installed.
    """

    def __init__(self, pattern: str, instead: str, check: Check | None = None) -> None:
        self.instead, self._check = instead, check
        self._matches = _compiled(pattern, pattern)
        try:
            prefixes, empty, _ = prefixes_of(pattern)
        except Unread as error:
            raise GuardError(f"The expression {pattern!r:.80} cannot be used: {error}.", value=pattern) from error
        if empty:
            seen = f"The expression {pattern!r:.80} matches where nothing is."
            raise GuardError(seen, allowed="one that needs a character at the least", value=pattern)
        self._begins = _compiled(f"{prefixes}\\z", pattern)

    def search(self, text: Encoded) -> Search:
        """Search a text."""

        def search(place: int) -> Span | None:
            while True:
                match = self._matches.search(text.data, text.byte(place))
                if match is None:
                    return None
                found = text.data[match.start() : match.end()].decode("utf-8", "surrogatepass")
                begin = text.character(match.start())
                length = len(found) if self._check is None else self._check(found)
                if length:
                    return Span(begin, begin + length, self.instead)
                place = begin + 1

        return search

    def begins(self, text: Encoded, place: int) -> int:
        """Where, from ``place`` on, a match may begin that the end of the text cuts off; the end where none can."""
        match = self._begins.search(text.data, text.byte(place))
        return text.character(match.start()) if match is not None else len(text.text)


class Encoded:
    """A text as RE2 reads it, UTF-8, and its places there. Quick where they are asked from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("utf-8", "surrogatepass")
        self._same = len(self.data) == len(text)
        self._character = self._byte = 0

    def byte(self, character: int) -> int:
        """The byte at which a character begins."""
        if self._same:
            return character
        self._move_to(character)
        return self._byte

    def character(self, byte: int) -> int:
        """The character that begins at a byte."""
        if self._same:
            return byte
        if byte < self._byte:
            self._character = self._byte = 0
        self._character += len(self.data[self._byte : byte].decode("utf-8", "surrogatepass"))
        self._byte = byte
        return self._character

    def _move_to(self, character: int) -> None:
        if character < self._character:
            self._character = self._byte = 0
        self._byte += len(self.text[self._character : character].encode("utf-8", "surrogatepass"))
        self._character = character


class Expressions(Finder):
    """Finds what any of some expressions matches."""

    def __init__(self, every: Sequence[Expression]) -> None:
        self._every = tuple(every)

    def scan(self, text: str, begin: int, *, over: bool) -> tuple[list[Span], int]:
        """See :meth:`Finder.scan`."""
        sure = len(text) if over else min(one.begins(Encoded(text), begin) for one in self._every)
        return leftmost([one.search(Encoded(text)) for one in self._every], begin, sure), sure


def _compiled(pattern: str, told: str) -> Any:
    """Raises GuardError where RE2 does not take it. told: as the user knows it."""
    try:
        import re2
    except ImportError as error:
        raise MissingExtra("a guard with regular expressions", "serve", str(error)) from error
    options = re2.Options()
    options.max_mem, options.log_errors, options.never_capture = MEMORY, False, True
    try:
        return re2.compile(pattern.encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise GuardError(
            f"The expression {told!r:.80} cannot be used: {reason}.",
            allowed="RE2's syntax, which has no look-around and no back-references",
            value=told,
        ) from error
