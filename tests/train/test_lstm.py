"""Training an LSTM replaces the model by one of the user's text."""

from __future__ import annotations

import pytest

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.language import Span
from lighten.core.rows import Rows
from lighten.core.step import Needs, settings_of
from lighten.nets.baselines.byte_model import BOUNDARY, symbols_of
from lighten.nets.baselines.lstm import ByteLstm
from lighten.tasks.text_generation import TextGeneration
from lighten.train.lstm import LstmTraining

SMALL = LstmTraining(width=16, epochs=20, learning_rate=3e-2, rows=4)


def nats(model: ByteLstm, context: str, text: str) -> float:
    span = Span((BOUNDARY, *symbols_of(context)), tuple(symbols_of(text)))
    return float(-model.score([span])[0].logprobs.sum())


class Watch:
    def __init__(self) -> None:
        self.told: list[tuple[float, float, str]] = []

    def progress(self, done: float, total: float, message: str = "") -> None:
        self.told.append((done, total, message))

    def score(self, fraction: float, value: float) -> None: ...

    def seconds_left(self) -> float:
        return float("inf")


def test_it_learns_train_and_says_how_far_it_is() -> None:
    rows, watch = Rows(("the film is good", "the film is long", "the day is long") * 8, (0,) * 24), Watch()
    model = SMALL.run(None, Needs(TextGeneration(), train=rows, tune=rows.take(range(3)), watch=watch))
    assert model.width == 16
    assert nats(model, "the film ", "is") < 1 < 5 < nats(model, "the film ", "zz")
    assert watch.told[-1][0] <= watch.told[-1][1]
    assert "bits a byte" in watch.told[-1][2]


def test_is_in_the_catalog_and_what_is_searched_gets_cheaper() -> None:
    assert catalog.load_step("train.lstm") is LstmTraining
    assert LstmTraining.produces == "byte-lm"
    assert LstmTraining.needs == {"train", "tune"}
    widths = next(setting for setting in settings_of(LstmTraining) if setting.name == "width").search
    costs = [LstmTraining(width=width).seconds(1_000_000) for width in widths]
    assert costs == sorted(costs, reverse=True)
    assert LstmTraining().seconds(10**9) == LstmTraining().seconds(LstmTraining().most)
    assert 0 < LstmTraining().share() < 0.1


def test_refuses_to_learn_without_rows() -> None:
    with pytest.raises(StepFailed, match="needs rows"):
        LstmTraining().run(None, Needs(TextGeneration(), train=Rows(("a",), (0,))))
