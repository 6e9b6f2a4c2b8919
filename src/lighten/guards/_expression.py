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
from lighten.guards._prefixes import FLAGS, Unread, prefixes_of

MEMORY = 32 << 20
"""Most bytes that RE2 takes for one expression."""
Check = Callable[[str], int]
"""How many characters of what an expression matches are what is looked for; 0 where it is not."""


class Expression:
    """A regular expression, and what its matches may begin with.

    Args:
        pattern: in RE2's syntax. instead: what stands in the place of what it finds. check: of what it matches; None
            where all of it is what is looked for.

    Attributes:
        part, begins: the expression, and the one for all beginnings of its matches, as parts of a larger one.

    Raises:
        GuardError: RE2 does not take it, or it matches nothing at all. MissingExtra: RE2 is not installed.
    """

    def __init__(self, pattern: str, instead: str, check: Check | None = None) -> None:
        self.instead, self._check = instead, check
        self._matches = compiled(pattern, f"The expression {pattern!r:.80}", pattern)
        try:
            prefixes, empty, _ = prefixes_of(pattern)
        except Unread as error:
            raise GuardError(f"The expression {pattern!r:.80} cannot be used: {error}.", value=pattern) from error
        if empty:
            seen = f"The expression {pattern!r:.80} matches where nothing is."
            raise GuardError(seen, allowed="one that needs a character at the least", value=pattern)
        self.part, self.begins = grouped(pattern), grouped(prefixes)

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
    """Finds what any of some expressions matches. Whether any does is asked of all of them together.

    Raises:
        GuardError: they are too large together.
    """

    def __init__(self, every: Sequence[Expression]) -> None:
        self._every = tuple(every)
        self._any = compiled("|".join(one.part for one in every), "All its expressions together")
        begins = "|".join(one.begins for one in every)
        self._begins = compiled(f"(?:{begins})\\z", "All its expressions together")

    def scan(self, text: str, begin: int, *, over: bool) -> tuple[list[Span], int]:
        """See :meth:`Finder.scan`."""
        read, sure = Encoded(text), len(text)
        if not over:
            match = self._begins.search(read.data, read.byte(begin))
            sure = read.character(match.start()) if match is not None else sure
        if begin >= sure or self._any.search(read.data, read.byte(begin)) is None:
            return [], sure
        return leftmost([one.search(Encoded(text)) for one in self._every], begin, sure), sure


def grouped(pattern: str) -> str:
    """An expression as a part of a larger one, with its flags.

    >>> grouped("(?i)ab|c"), grouped("ab")
    ('(?i:ab|c)', '(?:ab)')
    """
    flags = FLAGS.match(pattern)
    return f"(?{flags[1]}:{pattern[flags.end() :]})" if flags else f"(?:{pattern})"


def compiled(pattern: str, told: str, value: str = "") -> Any:
    """An expression as RE2 has it. told: what it is. value: as it stands in the rules.

    Raises:
        GuardError: RE2 does not take it. MissingExtra: RE2 is not installed.
    """
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
            f"{told} cannot be used: {reason}.",
            allowed="RE2's syntax, which has no look-around and no back-references",
            value=value,
        ) from error
