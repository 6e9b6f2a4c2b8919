"""What is asked of a model is what its task makes of a row."""

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.serve.servable import Servable
from lighten.tasks.text_generation import TextGeneration


def test_a_text_stands_as_it_is(servable_of) -> None:  # type: ignore[no-untyped-def]
    model: Servable = servable_of()
    assert model.item_of("what a film") == "what a film"
    with pytest.raises(InputError, match="no prompt for columns"):
        model.item_of({"text": "what a film"})


def test_columns_fill_the_prompt_that_the_model_was_made_with(servable_of) -> None:  # type: ignore[no-untyped-def]
    made: Servable = servable_of()
    model = Servable("m", "1", made.artifact, made.engine, TextGeneration(), (), DataOptions(prompt="Say: {what}"))
    assert model.item_of({"what": "yes"}) == "Say: yes"
