"""What a step or an engine is called where people read of it, in English and in Chinese."""

from __future__ import annotations

from inspect import getdoc

from lighten.core.engine import Engine
from lighten.core.step import Step


def title_of(plugin: type[Step] | type[Engine]) -> tuple[str, str]:
    """Its ``title``; for want of one the first line of its docstring, without the full stop, in both languages."""
    if any(plugin.title):
        return plugin.title
    line = (getdoc(plugin) or plugin.__name__).partition("\n")[0].rstrip(".")
    plain = line.replace("{", "{{").replace("}", "}}")
    return plain, plain
