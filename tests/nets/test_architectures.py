"""What a config says that its model is, in every way in which configs say it, and what of transformers opens it."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.core.errors import ModelError
from lighten.nets.architectures import (
    CAUSAL,
    CLASSIFIER,
    DECODERS,
    ENCODER,
    WRITERS,
    kind_of_config,
    loader_of,
    named_architectures,
)


def test_architectures_are_a_list_or_one_name() -> None:
    assert named_architectures({"architectures": ["BertModel"]}) == ("BertModel",)
    assert named_architectures({"architectures": "BertModel"}) == ("BertModel",)
    for told in ({}, {"architectures": None}, {"architectures": []}, {"architectures": ""}, {"architectures": 3}):
        assert named_architectures(told) == ()


@pytest.mark.parametrize(
    ("config", "tensors", "kind"),
    [
        ({"model_type": "bert"}, ["bert.pooler.dense.weight", "classifier.weight"], CLASSIFIER),
        ({"model_type": "bert"}, ["embeddings.word_embeddings.weight"], ENCODER),
        ({"model_type": "modernbert"}, ["model.layers.0.mlp.Wi.weight", "head.dense.weight", "decoder.bias"], ENCODER),
        ({"model_type": "qwen3"}, ["model.norm.weight", "score.weight"], CLASSIFIER),
        ({"model_type": "qwen3"}, ["model.norm.weight"], CAUSAL),
        ({"model_type": "bert", "architectures": "BertForSequenceClassification"}, [], CLASSIFIER),
        ({"model_type": "qwen3", "architectures": "Qwen3ForCausalLM"}, [], CAUSAL),
        ({"model_type": "bert", "architectures": ["BertModel"]}, ["classifier.weight"], ENCODER),
    ],
)
def test_where_a_config_names_nothing_the_weights_tell_of_a_head(
    config: dict[str, Any], tensors: list[str], kind: str
) -> None:
    assert kind_of_config("here", config, tensors)[0] == kind


@pytest.mark.parametrize("family", [family for family in DECODERS if family not in WRITERS])
def test_a_decoder_that_does_not_write_here_is_one_without_a_head_where_it_gets_one(family: str) -> None:
    config = {"architectures": ["SomeForCausalLM"], "model_type": family}
    assert kind_of_config("here", config, headless=True)[0] == ENCODER
    with pytest.raises(ModelError, match="a language model of an architecture that lighten does not open"):
        kind_of_config("here", config)
    with pytest.raises(ModelError, match="quantized already"):
        kind_of_config("here", {**config, "quantization_config": {"quant_method": "gptq"}}, headless=True)


def test_every_loader_is_one_of_transformers() -> None:
    import transformers

    ends = ("SequenceClassification", "ImageClassification", "CausalLM", "ConditionalGeneration", "MaskedLM",
            "PreTraining", "MaskedImageModeling", "TokenClassification", "QuestionAnswering")  # fmt: skip
    found = {loader_of({"architectures": [f"AnyFor{end}"]}) for end in ends} | {loader_of({})}
    assert len(found) == len(ends) + 1 and all(hasattr(transformers, name) for name in found)
