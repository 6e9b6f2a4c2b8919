"""Counting n-grams replaces the model by one of the user's text, and takes prompts with their answers."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.language import Span
from lighten.core.rows import Rows
from lighten.core.step import Needs, settings_of
from lighten.nets.baselines.byte_model import BOUNDARY, ByteModel, symbols_of
from lighten.nets.baselines.counts import KneserNey
from lighten.tasks.text_generation import TextGeneration
from lighten.train.ngram import NGramModel

TASK = TextGeneration()
ROWS = Rows(("the film is good", "the film is long", "the day is long") * 5, (0,) * 15)


def nats(model: ByteModel, context: str, text: str) -> float:
    span = Span((BOUNDARY, *symbols_of(context)), tuple(symbols_of(text)))
    return float(-model.score([span])[0].logprobs.sum())


def test_it_knows_the_text_it_was_given_and_only_train() -> None:
    model = NGramModel(order=4).run(None, Needs(TASK, train=ROWS, tune=Rows(("zzzz",), (0,))))
    assert isinstance(model, KneserNey)
    assert model.order == 4
    assert nats(model, "the film ", "is") < 0.2 < 5 < nats(model, "zz", "zz")


def test_is_in_the_catalog_with_bounds() -> None:
    assert catalog.load_step("train.ngram") is NGramModel
    assert NGramModel.produces == "byte-lm"
    assert NGramModel.needs == {"train"}
    assert [setting.search for setting in settings_of(NGramModel)] == [(6, 4)]
    assert 0 < NGramModel().share() < 0.01


def test_the_same_rows_give_the_same_model() -> None:
    one, two = (NGramModel().run(None, Needs(TASK, train=ROWS, seed=seed)).tensors() for seed in (0, 1))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_refuses_to_count_nothing() -> None:
    with pytest.raises(StepFailed, match="needs rows"):
        NGramModel().run(None, Needs(TASK))
