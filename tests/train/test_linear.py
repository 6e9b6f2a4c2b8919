"""The linear model learns labelled rows with choices, and is planned for nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.errors import DataError, PlanError, StepFailed
from lighten.core.recipe import Recipe
from lighten.core.rows import Rows
from lighten.core.space import Space
from lighten.core.step import Needs
from lighten.engines.numpy import NumPy
from lighten.tasks.text_generation import TextGeneration
from lighten.train.linear import LinearTraining

CHOICES = TextGeneration(evidence="choices", choices=(" bad", " good"))
ROWS = Rows(("a dull film:", "a fine film:", "so dull:", "so fine:") * 10, (0, 1) * 20)


def test_it_ranks_the_choices_of_the_task() -> None:
    model = LinearTraining().run(None, Needs(CHOICES, train=ROWS, tune=ROWS.take(range(8))))
    assert model.choices == (" bad", " good")
    assert model.logprobs(["dull and long:", "fine day:"]).argmax(axis=1).tolist() == [0, 1]
    assert np.exp(model.logprobs(ROWS.inputs)).sum(axis=1) == pytest.approx(np.ones(40))


@pytest.mark.parametrize("format", ["gguf", "hf-causal"])
def test_only_rows_with_choices_are_planned_and_proposed(format: str) -> None:
    for evidence, allowed in (("choices", True), ("documents", False), ("answers", False)):
        facts = TextGeneration(evidence=evidence).facts
        recipe = Recipe("m", (LinearTraining(),), NumPy(), "text_generation")
        space = Space.compose(format, (NumPy(),), facts)
        proposed = {catalog.name_of(step) for variant in space.variants for step in variant.steps}
        # What learns to write is of no use to choose with, and what learns to choose writes nothing.
        assert ({"train.ngram", "train.hmm", "train.lstm"} <= proposed) == (evidence == "documents")
        assert ("train.linear" in proposed) == allowed
        if allowed:
            assert recipe.plan(format=format, facts=facts) == recipe.steps
        else:
            with pytest.raises(PlanError, match="labelled rows with choices"):
                recipe.plan(format=format, facts=facts)


def test_rows_without_choices_are_refused() -> None:
    with pytest.raises(StepFailed, match="needs rows"):
        LinearTraining().run(None, Needs(CHOICES, train=ROWS))
    with pytest.raises(DataError, match="needs choices"):
        LinearTraining().run(None, Needs(TextGeneration(), train=ROWS, tune=ROWS))
    with pytest.raises(DataError, match="which is no choice"):
        LinearTraining().run(None, Needs(CHOICES, train=Rows(("a", "b"), (0, 7)), tune=ROWS))


def test_is_in_the_catalog() -> None:
    assert catalog.load_step("train.linear") is LinearTraining
    assert LinearTraining.produces == "linear"
    assert 0 < LinearTraining().share() < 1e-3
