"""Recipes as text: words fit the steps of the catalog, and the exact settings are never lost."""

from __future__ import annotations

import pytest

from lighten.core import catalog
from lighten.core.recipe import record_of
from lighten.reports.recipes import engine_words, recipe_text, recipe_words, step_words
from lighten.reports.words import LANGS, WORDS
from lighten.testing.language_summaries import STEPS

SAID = [key.partition(".")[2] for key in WORDS if key.startswith("step.")]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", SAID)
def test_words_of_a_step_fit_its_settings(name: str, lang: str) -> None:
    assert step_words(record_of(catalog.load_step(name)()), lang), name


def test_an_engine_goes_by_the_name_that_people_know() -> None:
    assert (engine_words("llama", "en"), engine_words("numpy", "zh")) == ("llama.cpp", "NumPy（lighten 自带的运算）")
    assert engine_words("mine", "en") == ""


def test_a_recipe_in_words_and_exactly() -> None:
    recipe = tuple(STEPS[name] for name in ("spare", "trained", "gguf"))
    assert recipe_words(recipe, "en") == (
        "Vocabulary cut to the tokens of your data plus 10% of the original; all weights trained on your data, "
        "passes: 0.6; quantized: matrices IQ4_NL or finer, embedding Q5_0 or finer, 10% more bytes where they help most"
    )
    assert recipe_words(recipe, "zh").startswith("词表裁剪至您数据所用的词元，另加原词表的 10%；")
    assert recipe_text(recipe).endswith("→ quantize.gguf format=IQ4_NL head=Q5_0 more=0.1")


def test_a_step_that_the_table_does_not_know_leaves_the_exact_text_alone() -> None:
    assert recipe_words((STEPS["spare"], {"use": "quantize.mine"}), "en") == ""
    assert step_words({"use": "train.full"}, "en") == ""
    assert step_words({"step": "export.gguf", "lang": "x", "key": "y"}, "en") == "written as a GGUF file"
    assert recipe_words((), "en") == ""
