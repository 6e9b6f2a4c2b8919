"""Rules of guards: a TOML file with a table ``[[guard]]`` for each, asked in the order in which they stand there.

TOML as recipes are, and because a label ``no`` is a text in it; expressions stand in single quotes as they are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lighten.core import catalog
from lighten.core.errors import InputError, UnknownName
from lighten.core.guard import Finder, Guard, GuardError, TextGuard
from lighten.core.home import expanded
from lighten.core.step import Setting, settings_of

KIND = "guards"
"""What the catalog calls them."""
TABLE = re.compile(r"\s*\[\[\s*guard\s*\]\]")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
EXAMPLE = '[[guard]]\nuse = "words"\non = ["input"]\naction = "refuse"\nfiles = ["words.txt"]'


@dataclass(frozen=True)
class Rule:
    """One guard as it is set up.

    Attributes:
        name: by which it is counted. where: it stands in the file, for errors.
        finder: of one that looks for parts of texts; None for others.
    """

    name: str
    guard: Guard
    where: str
    finder: Finder | None = None

    def on(self, side: str) -> bool:
        """Whether it stands there."""
        return side in self.guard.on

    def fits(self, model: str) -> bool:
        """Whether it is for a model of this name."""
        return not self.guard.models or model in self.guard.models


def read_rules(path: str | Path) -> tuple[Rule, ...]:
    """The rules of a file. Lists and models are named from its folder.

    Raises:
        InputError: it cannot be read, or one of its guards cannot be made: says in which line it stands.
    """
    file = expanded(str(path))
    try:
        text = file.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"The rules {path} cannot be read: {reason}.", allowed="TOML", fix=EXAMPLE) from error
    other = next((name for name in tree if name != "guard"), None)
    if other is not None:
        raise UnknownName("table of rules", other, ["guard"])
    tables = tree.get("guard", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        raise InputError(f"The rules {path} have no guard.", allowed="[[guard]], once for each", fix=EXAMPLE)
    source = _Source(str(path), text.splitlines())
    found: list[Rule] = []
    for number, table in enumerate(tables):
        with source.told(number):
            rule = _rule(dict(table), file.parent, source.place(number), {one.name for one in found})
        found.append(rule)
    return tuple(found)


class _Source:
    """The text of the rules, to say where something stands."""

    def __init__(self, name: str, lines: Sequence[str]) -> None:
        self.name, self.lines = name, lines
        self.begins = [number for number, line in enumerate(lines) if TABLE.match(line)]

    def line(self, number: int, value: str) -> int:
        """The line of a guard, or the one below it where a setting of this name or a text stands."""
        if number >= len(self.begins):
            return 0
        begin, end = self.begins[number], (*self.begins, len(self.lines))[number + 1]
        spellings = [re.compile(rf"\s*{re.escape(value)}\s*=").match] if value else []
        spellings += [re.compile(re.escape(one)).search for one in (value, value.replace("\\", "\\\\")) if value]
        here = (n for spelled in spellings for n in range(begin, end) if spelled(self.lines[n]))
        return 1 + next(here, begin)

    def place(self, number: int, value: str = "") -> str:
        """Where a guard stands, in words."""
        line = self.line(number, value)
        return f"{self.name}, line {line}" if line else f"{self.name}, guard {number + 1}"

    @contextmanager
    def told(self, number: int) -> Iterator[None]:
        """Errors say where they are."""
        try:
            yield
        except InputError as error:
            value = error.value if isinstance(error, GuardError) else getattr(error, "name", "")
            seen = f"{self.place(number, str(value))}: {error.seen}"
            raise InputError(seen, allowed=error.allowed, fix=error.fix) from error


def _rule(table: dict[str, Any], folder: Path, where: str, taken: set[str]) -> Rule:
    use = table.pop("use", None)
    if not isinstance(use, str):
        raise InputError("It does not say what it is.", allowed=f"use = {' or '.join(catalog.names(KIND))}")
    cls = catalog.load(KIND, use)
    name = table.pop("name", use)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(f"Its name is {name!r:.60}.", allowed="letters, digits, dots and dashes, at most 64")
    if name in taken:
        raise InputError(f"There are two guards named {name!r}.", fix='give one of them another: name = "..."')
    known = {one.name: one for one in settings_of(cls)}
    unknown = next((key for key in table if key not in known), None)
    if unknown is not None:
        raise UnknownName(f"setting of the guard {use}", unknown, [*known, "use", "name"])
    guard: Guard = cls(**{key: _value(known[key], value) for key, value in table.items()})
    guard.check()
    finder = guard.finder(folder) if isinstance(guard, TextGuard) else None
    return Rule(name, guard, where, finder)


def _value(known: Setting, value: Any) -> Any:
    """A value of TOML as a setting takes it."""
    if known.type is tuple and not isinstance(value, list | dict):
        raise GuardError(f"{known.name} is {value!r:.60}; allowed: a list", value=known.name)
    made = _frozen(value)
    if known.type is float and isinstance(made, int) and not isinstance(made, bool):
        made = float(made)
    if problem := known.problem(made):
        raise GuardError(f"{problem}.", value=known.name)
    return made


def _frozen(value: Any) -> Any:
    """Lists as tuples, tables as tuples of pairs."""
    if isinstance(value, Mapping):
        return tuple((name, _frozen(one)) for name, one in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
