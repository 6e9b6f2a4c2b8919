"""Names, settings and orders of rows of the families, from GGUF and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import ModelError
from lighten.nets.gguf.families import (
    FAMILIES,
    Family,
    config_of,
    family_of_config,
    family_of_file,
    gguf_name,
    hf_name,
    to_gguf,
    to_hf,
    values_of,
)
from lighten.nets.language.network import open_language
from lighten.testing.tiny_language import FAMILIES as NAMES
from lighten.testing.tiny_language import tiny_language

LLAMA, MISTRAL, QWEN2, QWEN3, GEMMA = FAMILIES
SIZES = {"num_attention_heads": 2, "num_key_value_heads": 1}


def test_rows_of_a_head_are_interleaved_as_llama_cpp_turns_them() -> None:
    """Two heads of four rows: halves (0 1 | 2 3) of each become pairs (0 2) (1 3)."""
    value = np.arange(8.0)[:, None]
    assert to_gguf(LLAMA, "blk.0.attn_q.weight", value, SIZES)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert to_gguf(LLAMA, "blk.0.attn_k.weight", value[:4], SIZES)[:, 0].tolist() == [0, 2, 1, 3]
    assert to_gguf(MISTRAL, "blk.0.attn_q.bias", value[:, 0], SIZES).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    for family, name in ((LLAMA, "attn_v"), (LLAMA, "ffn_up"), (QWEN2, "attn_q"), (QWEN3, "attn_k"), (GEMMA, "attn_q")):
        assert to_gguf(family, f"blk.0.{name}.weight", value, SIZES)[:, 0].tolist() == list(range(8))


def test_norms_of_gemma_are_stored_plus_one() -> None:
    value = np.array([0.5, -0.25], np.float32)
    for name in ("output_norm", "blk.3.attn_norm", "blk.3.attn_q_norm", "blk.3.post_ffw_norm"):
        assert to_gguf(GEMMA, f"{name}.weight", value, SIZES).tolist() == [1.5, 0.75]
        assert to_hf(GEMMA, f"{name}.weight", value, SIZES).tolist() == [-0.5, -1.25]
        assert to_gguf(QWEN3, f"{name}.weight", value, SIZES).tolist() == [0.5, -0.25]
    assert to_gguf(GEMMA, "blk.3.attn_q.weight", value[None], SIZES).tolist() == [[0.5, -0.25]]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.model_type)
def test_every_name_and_order_has_a_way_back(family: Family) -> None:
    rng = np.random.default_rng(0)
    names = [f"blk.7.{name}.{kind}" for name in family.layer for kind in ("weight", "bias")]
    for name in (*names, "token_embd.weight", "output_norm.weight", "output.weight"):
        assert gguf_name(family, hf_name(family, name)) == name
        value = rng.integers(-9, 9, (16, 3)).astype(np.float32)
        assert np.array_equal(to_gguf(family, name, to_hf(family, name, value, SIZES), SIZES), value)
    assert len({hf_name(family, name) for name in names}) == len(names)


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_the_way_through_a_file(tmp_path: Path, name: str) -> None:
    config = open_language(tiny_language(name, tmp_path)).net.config
    values = values_of(config.to_dict(), "tiny") | {
        "tokenizer.ggml.eos_token_id": config.eos_token_id,
        "tokenizer.ggml.padding_token_id": 10**9,  # some files name an id that no token has
    }
    made = config_of(values, vocabulary=config.vocab_size, tied=config.tie_word_embeddings)
    known = config.to_dict()
    differ = {key for key, value in made.items() if known.get(key, value) != value}
    assert differ <= {"model_type", "head_dim"}
    assert "pad_token_id" not in made and made["eos_token_id"] == config.eos_token_id
    assert values["general.architecture"] == family_of_config(known).architecture
    assert made["model_type"] in (name, "llama")  # GGUF has no word for Mistral of its own
    net = type(config)(**{**made, "model_type": name})
    assert net.head_dim == values[f"{values['general.architecture']}.attention.key_length"]


def plain(**more: Any) -> dict[str, Any]:
    known = {
        "context_length": 64, "embedding_length": 32, "block_count": 2, "feed_forward_length": 64,
        "attention.head_count": 4, "attention.layer_norm_rms_epsilon": 1e-6,
    }  # fmt: skip
    arch = more.pop("arch", "llama")
    return {"general.architecture": arch, **{f"{arch}.{k}": v for k, v in {**known, **more}.items() if v is not None}}


def test_what_a_file_leaves_out() -> None:
    made = config_of(plain(), vocabulary=9, tied=True)
    assert (made["num_key_value_heads"], made["head_dim"], made["vocab_size"]) == (4, 8, 9)
    assert made["rope_parameters"] == {"rope_type": "default", "rope_theta": 10_000.0}
    gemma = config_of(plain(arch="gemma3"), vocabulary=9, tied=True)
    assert gemma["sliding_window"] == 512 and gemma["query_pre_attn_scalar"] == gemma["head_dim"] == 8
    assert gemma["rope_parameters"]["sliding_attention"]["rope_theta"] == 10_000.0


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"arch": "mamba"}, r"'mamba'(.|\n)*allowed: gemma3, llama, qwen2, qwen3"),
        ({"block_count": None}, "lacks llama.block_count"),
        ({"feed_forward_length": (64, 32)}, "differ in their sizes"),
        ({"rope.scaling.type": "yarn"}, r"scales its rotary embedding \(yarn\)"),
        ({"rope.dimension_count": 4}, "turns 4 of 8 numbers"),
        ({"arch": "gemma3", "final_logit_softcapping": 30.0}, "caps its logits"),
    ],
)
def test_files_that_are_not_taken_apart(more: dict[str, Any], seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        config_of(plain(**more), vocabulary=9, tied=True)


def test_unknown_names() -> None:
    with pytest.raises(ModelError, match=r"tensor blk.0.ffn_gate_exps.weight, which llama"):
        hf_name(LLAMA, "blk.0.ffn_gate_exps.weight")
    with pytest.raises(ModelError, match=r"weight model.layers.0.other.weight, which gemma3_text"):
        gguf_name(GEMMA, "model.layers.0.other.weight")
    with pytest.raises(ModelError, match="'bert'"):
        family_of_config({"model_type": "bert"})
    with pytest.raises(ModelError, match="'bert'"):
        family_of_file({"general.architecture": "bert"})


@pytest.mark.parametrize(
    ("name", "more", "seen"),
    [
        ("llama", {"hidden_act": "gelu"}, r"hidden_act = gelu(.|\n)*hidden_act = silu"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, r"rotary embedding \(yarn\)"),
        ("qwen2", {"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, r"rotary embedding \(llama3\)"),
        ("qwen3", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, r"\(dynamic\)(.|\n)*out of config"),
        ("qwen2", {"use_sliding_window": True}, "use_sliding_window"),
        ("gemma3_text", {"query_pre_attn_scalar": 168}, "query_pre_attn_scalar = 168"),
        ("gemma3_text", {"layer_types": ["full_attention"] * 6}, "layer_types"),
        ("gemma3_text", {"attn_logit_softcapping": 50.0}, "attn_logit_softcapping = 50"),
        ("gemma3_text", {"use_bidirectional_attention": True}, "use_bidirectional_attention"),
    ],
)
def test_settings_that_gguf_has_no_place_for(tmp_path: Path, name: str, more: dict[str, Any], seen: str) -> None:
    config = open_language(tiny_language(name, tmp_path)).net.config.to_dict()
    values_of(config, "tiny")
    with pytest.raises(ModelError, match=seen):
        values_of(config | more, "tiny")
