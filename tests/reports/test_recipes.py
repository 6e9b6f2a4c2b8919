"""Recipes as text: words come from the plug-ins, and the exact settings are never lost."""

from __future__ import annotations

from dataclasses import replace

from lighten.reports.recipes import engine_words, recipe_text, recipe_words, step_words
from lighten.testing import language_summaries, summaries
from lighten.testing.language_summaries import STEPS

RUN = language_summaries.documents()


def test_an_engine_goes_by_the_name_that_people_know() -> None:
    assert engine_words(RUN, "llama", "en") == "llama.cpp"
    assert engine_words(RUN, "numpy", "zh") == "NumPy（lighten 自带的运算）"
    assert engine_words(RUN, "mine", "en") == ""


def test_a_recipe_in_words_and_exactly() -> None:
    recipe = tuple(STEPS[name] for name in ("spare", "trained", "gguf"))
    assert recipe_words(RUN, recipe, "en") == (
        "Vocabulary cut to the tokens of your data plus 10% of the original; all weights trained on your data, "
        "passes: 0.6; quantized: matrices IQ4_NL or finer, embedding Q5_0 or finer, 10% more bytes where they help most"
    )
    assert recipe_words(RUN, recipe, "zh").startswith("词表裁剪至您数据所用的词元，另加原词表的 10%；")
    assert recipe_words(RUN, recipe, "en", alone=False).startswith("vocabulary cut")
    assert recipe_text(recipe).endswith("→ quantize.gguf format=IQ4_NL head=Q5_0 more=0.1")


def test_a_strangers_step_is_named_by_its_title() -> None:
    run = replace(summaries.winner(), titles={"quantize.mine": ("rounded to {bits} bits {{so}}", "舍入到 {bits} 位")})
    step = {"use": "quantize.mine", "bits": 3, "lang": "x", "key": "y"}
    assert step_words(run, step, "en") == "rounded to 3 bits {so}"
    assert step_words(run, {**step, "bits": 0.1234567}, "zh") == "舍入到 0.123457 位"


def test_a_step_without_a_title_or_without_its_settings_leaves_the_exact_text_alone() -> None:
    assert recipe_words(RUN, (STEPS["spare"], {"use": "quantize.mine"}), "en") == ""
    assert step_words(RUN, {"use": "train.full"}, "en") == ""
    assert recipe_words(RUN, (), "en") == ""
