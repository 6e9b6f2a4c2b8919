"""The model card of a trained model names its base, its score and what it goes on with; texts in it are text."""

from __future__ import annotations

from lighten.reports.training_card import training_card
from lighten.testing.trainings import result


def test_the_card_says_what_it_is_worth() -> None:
    made = result(model="a/b", labels=("good *x*", "bad"))
    card = training_card(made)
    assert card.startswith('---\nbase_model: "a/b"\npipeline_tag: "text-classification"\n')
    assert "Accuracy 81.23% on 50 rows" in card and "| Accuracy |  | 50 | 81.23% | 71.00% | 88.00% |" in card
    assert "lighten optimize runs/t/model --data d.csv" in card and r"good \*x\*" in card
