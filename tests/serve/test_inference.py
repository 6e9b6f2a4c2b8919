"""What the Open Inference Protocol says, whatever carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lighten.core.prediction import Prediction
from lighten.serve.inference import index_of, infer, tensors_of, values_of
from lighten.serve.presence import Presence
from lighten.serve.refusals import Refusal
from lighten.serve.servable import Servable
from lighten.serve.tensors import Tensor
from lighten.tasks.image_classification import ImageClassification

Opened = Callable[..., Any]
TEXTS = Tensor("input", "BYTES", (2,), ["a", "bb"])


def test_answers_and_measures_are_tensors_of_their_own() -> None:
    (answer,) = tensors_of([Prediction("yes"), Prediction("no")], ())
    assert answer.in_json() == {"name": "answer", "datatype": "BYTES", "shape": [2], "data": ["yes", "no"]}
    (bits,) = tensors_of([Prediction(measures={"bits_per_byte": 1.5})], ())
    assert bits.in_json() == {"name": "bits_per_byte", "datatype": "FP32", "shape": [1], "data": [1.5]}


def test_outputs_come_in_the_order_in_which_they_are_wanted(opened: Opened) -> None:
    async def body() -> None:
        async with opened() as stage:
            every = await infer(stage.model, TEXTS, (), 20, Presence())
            assert [one.name for one in every] == ["label", "scores"]
            some = await infer(stage.model, TEXTS, ("scores", "label"), 20, Presence())
            assert [one.name for one in some] == ["scores", "label"]
            with pytest.raises(Refusal, match="no output 'logits'"):
                await infer(stage.model, TEXTS, ("logits",), 20, Presence())
            assert stage.model.counts.answered == 2

    asyncio.run(body())


def test_a_model_is_asked_texts_or_one_array_for_each_input(
    opened: Opened, servable_of: Callable[..., Servable]
) -> None:
    pytest.importorskip("PIL")
    levels = Tensor("input", "UINT8", (2, 3, 4, 1), np.arange(24, dtype=np.uint8))

    async def body() -> None:
        async with opened(None, servable_of("texts"), servable_of("files", task=ImageClassification())) as stage:
            texts, files = stage.models.find("texts"), stage.models.find("files")
            assert values_of(TEXTS, texts) == ["a", "bb"]
            first, second = values_of(levels, files)
            assert first.shape == (3, 4, 1) and second.ravel().tolist() == list(range(12, 24))
            with pytest.raises(Refusal, match="datatype is UINT8"):
                values_of(levels, texts)
            with pytest.raises(Refusal, match="no input 'x'"):
                values_of(Tensor("x", "BYTES", (1,), ["a"]), texts)
            assert len(index_of(stage.models, ready=True)) == 2

    asyncio.run(body())
