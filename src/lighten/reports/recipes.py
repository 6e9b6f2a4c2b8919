"""A recipe and an engine as text: exactly, with every setting; and in words, as far as the table has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lighten.reports.numbers import share
from lighten.reports.words import WORDS, capital, say

SHARES = ("spare", "more")
"""Settings that are said in per cent."""


def recipe_text(recipe: tuple[Mapping[str, Any], ...]) -> str:
    """A recipe in one line: ``prune.layers keep=3 → quantize.int8_static``; empty for no step."""
    return " → ".join(step_text(step) for step in recipe)


def step_text(step: Mapping[str, Any]) -> str:
    """One step in one line: its catalog name and its settings."""
    name = str(step.get("use") or step.get("step") or "?")
    settings = [f"{key}={_plain(value)}" for key, value in step.items() if key not in ("use", "step")]
    return " ".join([name, *settings])


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def step_words(step: Mapping[str, Any], lang: str) -> str:
    """What one step does, in words; empty for a step that the table does not know, or one without its settings."""
    key = f"step.{step.get('use') or step.get('step')}"
    if key not in WORDS:
        return ""
    settings = {name: value for name, value in step.items() if name not in ("use", "step", "lang", "key")}
    shares = {name: share(value) for name, value in settings.items() if name in SHARES and isinstance(value, float)}
    try:
        return say(lang, key, **{name: _plain(value) for name, value in settings.items()} | shares)
    except KeyError:
        return ""


def recipe_words(recipe: tuple[Mapping[str, Any], ...], lang: str) -> str:
    """What a recipe does, in words; empty when the table does not know all its steps."""
    said = [step_words(step, lang) for step in recipe]
    return capital(("；" if lang == "zh" else "; ").join(said)) if all(said) else ""


def engine_words(engine: str, lang: str) -> str:
    """An engine by the name that people know; empty for one that the table does not know."""
    return say(lang, f"engine.{engine}") if f"engine.{engine}" in WORDS else ""
