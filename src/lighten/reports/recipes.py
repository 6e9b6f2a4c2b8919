"""A recipe and an engine as text: exactly, with every setting; and in words, as far as the plug-ins have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lighten.core.summary import Summary
from lighten.reports.numbers import share
from lighten.reports.words import LANGS, capital, fill

Recipe = tuple[Mapping[str, Any], ...]


def recipe_text(recipe: Recipe) -> str:
    """A recipe in one line: ``prune.layers keep=3 → quantize.int8_static``; empty for no step."""
    return " → ".join(step_text(step) for step in recipe)


def step_text(step: Mapping[str, Any]) -> str:
    """One step in one line: its catalog name and its settings."""
    name = str(step.get("use") or step.get("step") or "?")
    settings = [f"{key}={_shown(value)}" for key, value in step.items() if key not in ("use", "step")]
    return " ".join([name, *settings])


def step_words(summary: Summary, step: Mapping[str, Any], lang: str) -> str:
    """What one step does, in words; empty for a step that the summary has no title of, or one without its settings."""
    title = summary.titles.get(str(step.get("use") or step.get("step")))
    if title is None:
        return ""
    try:
        return fill(lang, title[LANGS.index(lang)], step, _shown)
    except KeyError:
        return ""


def recipe_words(summary: Summary, recipe: Recipe, lang: str, *, alone: bool = True) -> str:
    """What a recipe does, in words; empty when not all its steps have a title. alone: whether it is a sentence."""
    said = [step_words(summary, step, lang) for step in recipe]
    words = ("；" if lang == "zh" else "; ").join(said) if all(said) else ""
    return capital(words) if alone else words


def engine_words(summary: Summary, engine: str, lang: str) -> str:
    """An engine by the name that people know; empty where the summary has none."""
    title = summary.titles.get(engine)
    return title[LANGS.index(lang)] if title else ""


def _shown(value: object, spec: str = "") -> str:
    """A setting as text; a share in per cent where its placeholder ends in ``:%``."""
    if not isinstance(value, float):
        return str(value)
    return share(value) if spec == "%" else f"{value:g}"
