"""JSON that clients send, read within limits, and beside the event loop where it is long.

Python's quick parser keeps every other thread from going on until it has read all of a text; a long one is read by its
slow twin in a thread, which lets others go on after each value.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from json import decoder, scanner
from typing import Any, NoReturn

from lighten.serve.aside import aside
from lighten.serve.limits import Limits
from lighten.serve.refusals import Refusal, expired, too_large, unreadable

SHORT = 16 * 1024
"""Bytes that are read at once."""
BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.S)
"""Texts, which hold what brackets they like, and brackets. Possessive: no way back is kept for each byte."""
Scan = Callable[[str, int], tuple[Any, int]]


async def read_json(body: bytes, limits: Limits) -> Any:
    """The value of a body.

    Raises:
        Refusal: it is no JSON in UTF-8, is too deep, holds NaN or infinity, or has more values than one may have; or
            too many long ones are being read.
    """
    if len(body) <= SHORT:
        return parse(body, limits.depth)
    try:
        async with asyncio.timeout(limits.deadline):
            return await aside(parse_by_values, body, limits)
    except TimeoutError as error:
        raise expired(limits.deadline) from error


def parse(body: bytes, depth: int) -> Any:
    """The value of a short body; see :func:`read_json`. depth: levels of lists and objects that it may have."""
    if body.count(b"[") + body.count(b"{") > depth and deeper(body, depth):
        raise _too_deep(depth)
    return _parsed(_decoder, body)


def parse_by_values(body: bytes, limits: Limits) -> Any:
    """The value of a long body; see :func:`read_json`."""
    return _parsed(_ByValues(limits), body)


def deeper(body: bytes, depth: int) -> bool:
    """Whether brackets outside of texts stand more than ``depth`` levels deep.

    >>> deeper(b'[[["[[[["]]]', 3), deeper(b"[[[[", 3)
    (False, True)
    """
    level = 0
    for found in BRACKETS.finditer(body):
        mark = found.group()
        if mark in (b"[", b"{"):
            level += 1
            if level > depth:
                return True
        elif mark in (b"]", b"}"):
            level -= 1
    return False


def _parsed(with_: json.JSONDecoder, body: bytes) -> Any:
    try:
        return with_.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise unreadable("The body is not UTF-8.", allowed="JSON in UTF-8") from error
    except (ValueError, RecursionError) as error:
        # Of a long number Python says how programs change how long one may be.
        reason = "a number in it has too many digits" if "integer string conversion" in str(error) else error
        seen = "The body is empty." if not body.strip() else f"The body is no JSON that can be read: {reason}."
        raise unreadable(seen, allowed="JSON in UTF-8") from error


def _too_deep(depth: int) -> Refusal:
    return unreadable("The JSON is nested too deeply.", allowed=f"at most {depth} levels")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse)


class _ByValues(json.JSONDecoder):
    """Python's own decoder in Python, but for texts; counts values and levels. For one text."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(parse_constant=_refuse)
        self._limits, self._level, self._values = limits, 0, 0
        self.parse_array, self.parse_object = self._array, self._object
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _array(self, at: tuple[str, int], scan: Scan) -> tuple[Any, int]:
        return self._inside(lambda: decoder.JSONArray(at, self._counting(scan)))  # type: ignore[attr-defined]

    def _object(self, at: tuple[str, int], strict: bool, scan: Scan, *hooks: Any) -> tuple[Any, int]:
        inside = self._counting(scan)
        return self._inside(lambda: decoder.JSONObject(at, strict, inside, *hooks))  # type: ignore[attr-defined]

    def _inside(self, read: Callable[[], tuple[Any, int]]) -> tuple[Any, int]:
        self._level += 1
        if self._level > self._limits.depth:
            raise _too_deep(self._limits.depth)
        found = read()
        self._level -= 1
        return found

    def _counting(self, scan: Scan) -> Scan:
        def one(text: str, at: int) -> tuple[Any, int]:
            self._values += 1
            if self._values > self._limits.values:
                allowed = f"at most {self._limits.values:,} numbers, texts, lists and objects in one request"
                raise too_large("The JSON has too many values.", allowed, "send fewer inputs at a time")
            return scan(text, at)

        return one
