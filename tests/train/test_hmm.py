"""The step learns a hidden Markov model of the user's text, from as much of it as was said, up to the deadline."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.language import Span
from lighten.core.rows import Rows
from lighten.core.step import Needs, Silent, settings_of
from lighten.nets.baselines.byte_model import BOUNDARY, draw_texts, symbols_of
from lighten.nets.baselines.hmm import HiddenMarkov
from lighten.tasks.text_generation import TextGeneration
from lighten.train.hmm import HiddenMarkovModel

TASK = TextGeneration()
ROWS = Rows(("the film is good", "the film is long", "the day is long") * 5, (0,) * 15)


class Listening(Silent):
    """Remembers progress; the time is over after so many passes."""

    def __init__(self, passes: float) -> None:
        self.heard: list[float] = []
        self.passes = passes

    def progress(self, done: float, total: float, message: str = "") -> None:
        self.heard.append(done)

    def seconds_left(self) -> float:
        return 0.0 if self.heard and self.heard[-1] >= self.passes else math.inf


def test_it_learns_the_text() -> None:
    model = HiddenMarkovModel(states=16).run(None, Needs(TASK, train=ROWS))
    assert isinstance(model, HiddenMarkov)
    seen, unseen = (
        -model.score([Span((BOUNDARY,), tuple(symbols_of(text)))])[0].logprobs.mean()
        for text in ("the film is long", "xylophonic quiz,")
    )
    assert seen < 1.2 < 5 < unseen


def test_it_ends_at_the_deadline() -> None:
    watch = Listening(passes=2)
    HiddenMarkovModel(states=16, iterations=50).run(None, Needs(TASK, train=ROWS, watch=watch))
    assert watch.heard == [0, 1, 2]


def test_it_learns_from_as_much_as_was_said() -> None:
    texts = [letter * 10 for letter in "abcdefgh"]
    assert draw_texts(texts, 80, seed=0) == texts
    some = draw_texts(texts, 35, seed=0)
    assert [len(text) for text in some] == [10, 10, 10, 5]
    assert all(any(text.startswith(part) for text in texts) for part in some)
    assert draw_texts(texts, 35, seed=0) == some != draw_texts(texts, 35, seed=1)
    assert draw_texts(["a long text"], 6, seed=0) == ["a long"]


def test_is_in_the_catalog_with_bounds() -> None:
    assert catalog.load_step("train.hmm") is HiddenMarkovModel
    assert HiddenMarkovModel.produces == "byte-lm"
    assert HiddenMarkovModel.needs == {"train"}
    assert {setting.name for setting in settings_of(HiddenMarkovModel)} == {"states", "iterations", "most"}
    assert 0 < HiddenMarkovModel().share() < 0.01


def test_the_same_rows_and_seed_give_the_same_model() -> None:
    step = HiddenMarkovModel(states=6, iterations=4, most=100)
    one, two = (step.run(None, Needs(TASK, train=ROWS, seed=3)).tensors() for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_refuses_to_learn_from_nothing() -> None:
    with pytest.raises(StepFailed, match="needs rows"):
        HiddenMarkovModel().run(None, Needs(TASK))
