"""Texts that a classifier stops."""

from __future__ import annotations

import pytest

from lighten.core.errors import UnknownName
from lighten.core.guard import GuardError
from lighten.core.prediction import Prediction
from lighten.guards.classifier import Classifier

TOXIC = Classifier(action="refuse", on=("input",), model="runs/toxic", label="toxic", threshold=0.8)


def test_it_stops_what_is_sure_enough_whatever_the_answer_is() -> None:
    assert TOXIC.stops(Prediction("toxic", {"toxic": 0.8, "fine": 0.2}))
    assert not TOXIC.stops(Prediction("toxic", {"toxic": 0.79, "fine": 0.21}))


def test_labels_of_its_model_are_named() -> None:
    TOXIC.check_labels(("fine", "toxic"))
    with pytest.raises(UnknownName, match="toxic") as caught:
        TOXIC.check_labels(("fine", "foul"))
    assert caught.value.known == ("fine", "foul")


def test_it_needs_a_model_and_a_label() -> None:
    with pytest.raises(GuardError, match="no model"):
        Classifier(action="refuse", on=("input",), label="toxic").check()
    with pytest.raises(GuardError, match="no label"):
        Classifier(action="refuse", on=("input",), model="runs/toxic").check()
    with pytest.raises(UnknownName, match="redact"):
        Classifier(action="redact", on=("input",), model="runs/toxic", label="toxic").check()
