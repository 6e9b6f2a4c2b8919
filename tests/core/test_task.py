"""What a task tells others of itself, and what it takes."""

from __future__ import annotations

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.core.task import check_options
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration


def test_steps_are_told_what_a_language_model_is_asked() -> None:
    assert TextGeneration(evidence="choices", choices=(" a", " b")).facts == {"evidence": "choices"}
    assert TextGeneration().facts == {"evidence": "documents"}
    assert TextClassification().facts == {}


@pytest.mark.parametrize(
    ("task", "given", "option"),
    [
        (TextClassification(), DataOptions(prompt="{text}"), "--prompt"),
        (TextClassification(), DataOptions(shots=2), "--shots"),
        (TextGeneration(), DataOptions(drop_rare=3), "--drop-rare"),
        (TextGeneration(), DataOptions(merge_labels=False), "--merge-labels"),
        (TextGeneration(), DataOptions(longest=64), "--longest"),
    ],
)
def test_options_of_other_tasks_are_refused(task: TextClassification, given: DataOptions, option: str) -> None:
    with pytest.raises(InputError, match=f"{option} was given, which {task.models} does not take") as refused:
        check_options(task, given, task.models)
    assert option not in refused.value.allowed and "--split-column" in refused.value.allowed


def test_options_of_every_task_are_taken() -> None:
    common = DataOptions("text", "label", "group", "unit", "none", drop_empty=True)
    for task in (TextClassification(), TextGeneration()):
        check_options(task, common, task.models)
    check_options(TextClassification(), DataOptions(labels=("0=no",), longest=64, drop_rare=2), "it")


def test_a_model_is_asked_for_what_the_user_says_where_its_task_can() -> None:
    task, labels = TextGeneration().adapt(DataOptions(prompt="{a}: ", choices=("yes", "no")), ())
    assert labels == ("yes", "no") and task == TextGeneration(evidence="choices", choices=("yes", "no"))
    with pytest.raises(InputError, match="which a classifier does not take"):
        TextClassification().adapt(DataOptions(choices=("yes", "no")), ("no", "yes"))
