"""What a task tells others of itself."""

from __future__ import annotations

from lighten.core.task import asked_facts
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration


def test_steps_are_told_what_a_language_model_is_asked() -> None:
    assert asked_facts(TextGeneration(evidence="choices", choices=(" a", " b"))) == {"evidence": "choices"}
    assert asked_facts(TextGeneration()) == {"evidence": "documents"}
    assert asked_facts(TextClassification()) == {}
