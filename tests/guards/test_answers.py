"""Answers that may not be given."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.core.errors import UnknownName
from lighten.core.guard import GuardError
from lighten.core.prediction import Prediction
from lighten.guards.answers import Answers


def rules(action: str = "refuse", **more: Any) -> Answers:
    guard = Answers(action=action, **more)
    guard.check()
    return guard


def said(label: str, score: float) -> Prediction:
    return Prediction(label, {label: score, "other": 1 - score})


def test_floors_are_for_the_label_that_is_answered() -> None:
    guard = rules("replace", floor=0.6, floors=(("spam", 0.9),), fallback="ask a person")
    stopped = [guard.stops(said(label, score)) for label, score in (("ham", 0.6), ("ham", 0.59), ("spam", 0.8))]
    assert stopped == [False, True, True] and guard.instead == "ask a person"


def test_only_some_labels_and_not_some_together() -> None:
    assert rules(labels=("ham",)).stops(said("spam", 1.0)) and not rules(labels=("ham",)).stops(said("ham", 1.0))
    both = Prediction("spam, urgent", {"spam": 0.9, "ham": 0.1, "urgent": 0.7, "later": 0.3})
    guard = rules(exclude=(("spam", "urgent"), ("refund",)))
    assert guard.stops(both) and guard.stops(said("refund", 0.9))
    assert not guard.stops(Prediction("ham, urgent", both.scores))
    assert not rules(exclude=(("spam", "urgent"),)).stops(said("spam, urgent", 0.9))  # one label that has a comma


def test_labels_that_the_model_does_not_have_are_named() -> None:
    for guard in (rules(labels=("span",)), rules(exclude=(("ham", "span"),)), rules(floors=(("span", 0.5),))):
        with pytest.raises(UnknownName, match="span"):
            guard.check_labels(("ham", "spam"))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "no rule"),
        ({"floor": 0.5, "action": "replace"}, "fallback"),
        ({"floor": 0.5, "fallback": "x"}, "fallback"),
        ({"exclude": ("spam",)}, "lists"),
        ({"floors": (("spam", 1.5),)}, "floor of 'spam'"),
        ({"floors": (("spam", True),)}, "floor of 'spam'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(GuardError, match=why):
        rules(**more)
