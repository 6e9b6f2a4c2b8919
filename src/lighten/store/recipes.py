"""A recipe as TOML, for people to read and to change; ``Recipe.from_toml`` reads it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tomli_w

from lighten.core.recipe import Recipe, record_of


def to_toml(recipe: Recipe, run: Mapping[str, Any] | None = None, comments: Sequence[str] = ()) -> str:
    """A recipe as TOML.

    Args:
        run: what the run that made it knows besides; a reader of the recipe ignores it.
        comments: lines on top.
    """
    task = {"task": recipe.task} if recipe.task else {}
    parts = [tomli_w.dumps({"model": recipe.model, **task, "seed": recipe.seed})]
    parts += [_table("[data]", recipe.data)] if recipe.data else []
    parts += [_table("[[step]]", record_of(step)) for step in recipe.steps]
    parts += [_table("[engine]", record_of(recipe.engine))] if recipe.engine is not None else []
    parts += [_table("[run]", run)] if run else []
    return "".join(f"# {line}\n" for line in comments) + "\n".join(parts)


def _table(heading: str, values: Mapping[str, Any]) -> str:
    """A table under its heading, however few its values are: tomli-w would put short ones on one line."""
    return f"{heading}\n{tomli_w.dumps(values)}"
