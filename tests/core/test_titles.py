"""A plug-in is called by its title, and by its docstring where it has none; places for settings are settings."""

from __future__ import annotations

from string import Formatter
from typing import Any, ClassVar

import pytest

from lighten.core import catalog
from lighten.core.step import Step, settings_of
from lighten.core.titles import title_of

NAMED = [("step", entry.name) for entry in catalog.steps()] + [("engine", name) for name in catalog.names("engines")]


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_both_languages_have_the_same_places_and_each_is_a_setting(kind: str, name: str) -> None:
    plugin = catalog.load_step(name) if kind == "step" else catalog.load("engines", name)
    places = [{field for _, field, _, _ in Formatter().parse(text) if field} for text in title_of(plugin)]
    assert places[0] == places[1] <= {setting.name for setting in settings_of(plugin)}


class Plain(Step):
    """Rounds {weights}. The rest of the line stays.

    More of it.
    """

    consumes: ClassVar[tuple[str, ...]] = ("hf",)

    def run(self, model: Any, needs: Any) -> Any:
        return model


def test_a_plugin_without_a_title_is_called_by_its_docstring() -> None:
    english, chinese = title_of(Plain)
    assert english == chinese and english.format() == "Rounds {weights}. The rest of the line stays"
