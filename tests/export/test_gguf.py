"""A float network as a GGUF file: formats, metadata and refusals. What llama.cpp computes with it: test_llama.py."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.errors import ModelError
from lighten.core.step import Needs
from lighten.export.gguf import Gguf
from lighten.nets.gguf.file import FILE, read_gguf
from lighten.nets.gguf.weights import floats
from lighten.nets.language.network import open_language
from lighten.nets.runtimes.llama_api import Tokenizer
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny_language import FAMILIES, tiny_gguf, tiny_language, tiny_texts

NEEDS = Needs(TextGeneration())


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")


@pytest.mark.parametrize("family", FAMILIES)
def test_matrices_are_halved_and_vectors_are_not(tmp_path: Path, family: str) -> None:
    artifact = tiny_gguf(family, tmp_path, format="F16")
    header = read_gguf(artifact.path / FILE)
    assert {len(t.shape): t.format for t in header.tensors.values()} == {1: "F32", 2: "F16"}
    config = open_language(tmp_path / "hf").net.config
    arch = header.architecture
    for key, setting in (
        ("block_count", "num_hidden_layers"),
        ("context_length", "max_position_embeddings"),
        ("attention.head_count", "num_attention_heads"),
        ("attention.head_count_kv", "num_key_value_heads"),
        ("vocab_size", "vocab_size"),
    ):
        assert header.values[f"{arch}.{key}"] == getattr(config, setting)
    assert len(header.values["tokenizer.ggml.tokens"]) == config.vocab_size
    assert artifact.meta["labels"] == []
    with Tokenizer(artifact.path / FILE) as words:
        tokens = open_language(tmp_path / "hf").tokens
        assert [words.encode(text) for text in tiny_texts(10)] == tokens(tiny_texts(10))


def test_values_are_those_of_the_network(tmp_path: Path) -> None:
    network = open_language(tiny_language("qwen2", tmp_path))
    made = dict(Gguf(format="F32").run(network, NEEDS).tensors())
    layer = network.net.model.layers[1]
    for name, value in (
        ("blk.1.attn_k.bias", layer.self_attn.k_proj.bias),
        ("blk.1.attn_k.weight", layer.self_attn.k_proj.weight),
        ("blk.1.ffn_norm.weight", layer.post_attention_layernorm.weight),
        ("token_embd.weight", network.net.model.embed_tokens.weight),
        ("output.weight", network.net.lm_head.weight),
    ):
        assert np.array_equal(floats(made[name]), value.detach().numpy())


def test_the_export_does_not_change_the_network(tmp_path: Path) -> None:
    network = open_language(tiny_language("gemma3_text", tmp_path))
    before = {name: value.clone() for name, value in network.net.state_dict().items()}
    list(Gguf().run(network, NEEDS).tensors())
    assert all(torch.equal(before[name], value) for name, value in network.net.state_dict().items())


def test_it_refuses_by_the_header_what_it_could_not_write() -> None:
    assert Gguf().check({"no_gguf": "The model scales its rotary embedding (yarn)."}).endswith("embedding (yarn)")
    assert Gguf().check({"no_gguf": ""}) == Gguf().check({}) == ""


def test_it_says_what_it_is() -> None:
    assert catalog.load_step("export.gguf") is Gguf
    assert (Gguf.consumes, Gguf.produces, Gguf.lossy) == (("hf-causal",), "gguf", False)


def test_what_gguf_has_no_place_for_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    network = open_language(tiny_language("llama", tmp_path))
    network.net.config.rope_parameters = {"rope_type": "yarn", "factor": 2.0, "rope_theta": 10_000.0}
    with pytest.raises(ModelError, match=r"scales its rotary embedding \(yarn\)"):
        Gguf().run(network, NEEDS)
    network = open_language(tmp_path)
    network.net.model.layers[0].other = torch.nn.Linear(2, 2)
    with pytest.raises(ModelError, match=r"model.layers.0.other.weight, which llama does not have"):
        list(Gguf().run(network, NEEDS).tensors())
