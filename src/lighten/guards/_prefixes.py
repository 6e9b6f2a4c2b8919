"""Of a regular expression the one that matches all beginnings of what it matches.

A text that is still coming can become a match only from where on it is such a beginning; all before that can be let go.
The syntax is RE2's, and what is read here RE2 has already taken. Conditions on what stands beside (``\\b``, ``^``,
``$``) are left out, so that a little more may be held back than must be.

Source: the prefixes of a regular language are regular; https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FLAGS = re.compile(r"\(\?([imsU]+(?:-[imsU]+)?|-[imsU]+)\)")
OPENED = re.compile(r"\((\?(?:P?<[^>]*>|[imsU-]*:))?")
REPEATED = re.compile(r"(?:([*+?])|\{(\d+)(,?)(\d*)\})\??")
ESCAPE = re.compile(r"\\(?:[pP](?:\{[^}]*\}|.)|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)", re.S)
CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\(?:[pP]\{[^}]*\}|.)|[^\]\\])*\]", re.S)
EMPTY = ("\\b", "\\B", "\\A", "\\z")


class Unread(ValueError):
    """A part of an expression that is not taken here, though RE2 would."""


@dataclass(frozen=True, slots=True)
class _Node:
    """Part of an expression.

    Attributes:
        whole: an expression for it. prefix: for its beginnings, nothing and all of it among them.
        empty: whether it can match nothing. longest: most characters of a match; None where there is no most.
    """

    whole: str
    prefix: str
    empty: bool
    longest: int | None


NOTHING = _Node("", "", empty=True, longest=0)


def prefixes_of(pattern: str) -> tuple[str, bool, int | None]:
    """The expression for all beginnings of what ``pattern`` matches, itself and nothing among them; whether ``pattern``
    can match nothing; the most characters of a match, None where there is no most.

    >>> prefixes_of("ab?")
    ('(?:a(?:b)?)?', False, 2)

    Raises:
        Unread: it has bytes (``\\C``), a quotation (``\\Q``), or flags that change in the middle.
    """
    flags = FLAGS.match(pattern)
    reader = _Reader(pattern, flags.end() if flags else 0)
    node = reader.alternatives()
    return f"{flags[0] if flags else ''}{node.prefix}", node.empty, node.longest


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, pattern: str, place: int) -> None:
        self.pattern, self.place = pattern, place

    def alternatives(self) -> _Node:
        """Up to the end, or the bracket that closes it."""
        every = [self.sequence()]
        while self._next() == "|":
            self.place += 1
            every.append(self.sequence())
        if len(every) == 1:
            return every[0]
        longest = None if any(one.longest is None for one in every) else max(one.longest or 0 for one in every)
        whole, prefix = ("|".join(texts) for texts in zip(*((one.whole, one.prefix) for one in every), strict=True))
        return _Node(f"(?:{whole})", f"(?:{prefix})", any(one.empty for one in every), longest)

    def sequence(self) -> _Node:
        """Up to the next alternative, or further."""
        parts = []
        while self._next() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom()))
        found = NOTHING
        for one in reversed(parts):
            found = _joined(one, found)
        return found

    def atom(self) -> _Node:
        """One character, one class, one group, or a condition."""
        pattern, place = self.pattern, self.place
        if pattern[place] == "(":
            return self.group()
        if pattern[place] in "^$":
            self.place += 1
            return NOTHING
        match = {"\\": ESCAPE, "[": CLASS}.get(pattern[place], ANY).match(pattern, place)
        assert match is not None
        self.place = match.end()
        if match[0] in EMPTY:
            return NOTHING
        if match[0] in ("\\C", "\\Q", "\\E"):
            raise Unread(f"{match[0]} is not taken")
        return _Node(match[0], f"(?:{match[0]})?", empty=False, longest=1)

    def group(self) -> _Node:
        """What stands between brackets."""
        if FLAGS.match(self.pattern, self.place):
            raise Unread("flags such as (?i) stand at the beginning, or as (?i:...) around a part")
        match = OPENED.match(self.pattern, self.place)
        assert match is not None
        self.place = match.end()
        inner = self.alternatives()
        self.place += 1
        begin = match[0] if (match[1] or "").endswith(":") else "(?:"
        return _Node(f"{begin}{inner.whole})", f"{begin}{inner.prefix})", inner.empty, inner.longest)

    def repeated(self, one: _Node) -> _Node:
        """With what says how often it stands there."""
        match = REPEATED.match(self.pattern, self.place)
        if match is None:
            return one
        self.place = match.end()
        mark, least, comma, most = match.groups()
        low = int(least) if least else int(mark == "+")
        high = (1 if mark == "?" else None) if mark else int(most) if most else None if comma else low
        if high == 0 or one.longest == 0:
            return NOTHING
        times = f"{{{low},{'' if high is None else high}}}"
        before = "*" if high is None else f"{{0,{high - 1}}}"
        prefix = one.prefix if high == 1 else f"(?:(?:{one.whole}){before}{one.prefix})"
        longest = None if high is None or one.longest is None else high * one.longest
        return _Node(f"(?:{one.whole}){times}", prefix, one.empty or low == 0, longest)

    def _next(self) -> str:
        return self.pattern[self.place : self.place + 1]


ANY = re.compile(".", re.S)


def _joined(one: _Node, rest: _Node) -> _Node:
    """One after the other."""
    if one.longest == 0:
        return rest
    longest = None if one.longest is None or rest.longest is None else one.longest + rest.longest
    empty = one.empty and rest.empty
    if rest.longest == 0:
        return _Node(one.whole, one.prefix, empty, longest)
    if one.prefix == f"(?:{one.whole})?":
        prefix = f"(?:{one.whole}{rest.prefix})?"
    else:
        prefix = f"(?:{one.whole}{rest.prefix}|{one.prefix})"
    return _Node(f"{one.whole}{rest.whole}", prefix, empty, longest)
