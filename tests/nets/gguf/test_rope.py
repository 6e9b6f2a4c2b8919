"""Scaled rotary embeddings: the formula of transformers, and what both kinds of files say of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from lighten.core.errors import ModelError
from lighten.nets.gguf.rope import LLAMA3, factors_of, from_factors, from_metadata, rope_of, scaled_metadata
from lighten.testing.tiny_language import LINEAR, LLAMA31

PUBLISHED = {"rope_type": "llama3", "rope_theta": 500_000.0, "factor": 32.0, **LLAMA3}
"""Of Llama 3.2 1B, whose heads are 64 wide."""


@pytest.mark.parametrize(("rope", "width"), [(PUBLISHED, 64), ({**PUBLISHED, "factor": 8.0}, 128), (LLAMA31, 16)])
def test_factors_are_those_of_transformers(rope: dict[str, Any], width: int) -> None:
    config = LlamaConfig(hidden_size=4 * width, num_attention_heads=4, head_dim=width, rope_parameters=rope)
    turned, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    straight = rope["rope_theta"] ** (-np.arange(0, width, 2) / width)
    factors = factors_of(rope_of(config.to_dict()), width)
    assert factors is not None and np.allclose(straight / turned.numpy(), factors, rtol=1e-5)
    assert factors.min() == 1.0 and factors.max() == rope["factor"] and len(set(factors.tolist())) > 2


def test_published_factors_are_recognised_and_others_written_out() -> None:
    known = factors_of(PUBLISHED, 64)
    assert known is not None and from_factors(known, 500_000.0, 131_072) == PUBLISHED
    odd = np.array([1, 3, 9], np.float32)
    made = from_factors(odd, 10_000.0, 256)
    again = factors_of(made, 6)
    assert made["rope_type"] == "longrope" and again is not None and again.tolist() == [1.0, 3.0, 9.0]
    assert from_factors(np.ones(3, np.float32), 10_000.0, 256)["rope_type"] == "default"


def test_both_spellings_of_the_config_are_read() -> None:
    old = {"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}}
    assert rope_of(old) == {"type": "linear", "rope_type": "linear", "factor": 2.0, "rope_theta": 5e5}
    assert rope_of({"rope_parameters": LINEAR["gemma3_text"]})["factor"] == 8.0
    assert rope_of({}) == {"rope_type": "default", "rope_theta": 10_000.0}


def test_metadata_say_what_they_can() -> None:
    linear = {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}
    assert scaled_metadata(LINEAR["llama"], "llama") == linear
    assert from_metadata(linear, "llama", 10_000.0) == LINEAR["llama"]
    assert from_metadata({"llama.rope.scale_linear": 4.0}, "llama", 10_000.0) == LINEAR["llama"]
    assert scaled_metadata(LLAMA31, "llama") == scaled_metadata(rope_of({}), "qwen2") == {}
    with pytest.raises(
        ModelError, match=r"\(llama3\), which a GGUF file of qwen2"
    ):  # llama.cpp reads the factors of Llama alone
        scaled_metadata(LLAMA31, "qwen2")
    with pytest.raises(ModelError, match=r"scales its rotary embedding \(longrope\)"):
        from_metadata({"phi3.rope.scaling.type": "longrope"}, "phi3", 10_000.0)
