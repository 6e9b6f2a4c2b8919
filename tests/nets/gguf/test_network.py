"""From a GGUF file to a network and back: what did not change is copied, what changed is made anew."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.nets.gguf.file import FILE, read_gguf
from lighten.nets.gguf.network import (
    EMBEDDING,
    GgufModel,
    Source,
    bits,
    gguf_arrays,
    open_gguf,
    save_gguf,
    to_gguf_model,
    to_network,
)
from lighten.nets.gguf.rope import FACTORS
from lighten.nets.gguf.weights import QuantizedTensor, floats, pack
from lighten.nets.language.network import LanguageNetwork, open_language, save_language
from lighten.nets.language.vocabulary import keep_rows
from lighten.testing.require import require
from lighten.testing.tiny_language import FAMILIES, tiny_gguf

NORM = "blk.0.attn_norm.weight"
DOWN = "blk.0.ffn_down.weight"


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("libgguf"), "the libraries of GGUF (pip install 'lighten[llama]')")


def rewritten(artifact: Artifact, folder: Path, change: Any = None, **values: Any) -> GgufModel:
    """The artifact with all matrices in Q5_0, its tensors changed by ``change`` and its metadata by ``values``."""
    model = open_gguf(artifact)
    tensors = {
        name: pack(floats(packed), "Q5_0" if len(packed.shape) > 1 else "F32") for name, packed in model.tensors()
    }
    if change:
        change(tensors)
    folder.mkdir()
    known = {key: value for key, value in {**model.values, **values}.items() if value is not None}
    save_gguf(GgufModel(known, lambda: iter(tensors.items())), folder)
    return open_gguf(Artifact.seal(folder, format="gguf"))


def packed_of(model: GgufModel) -> dict[str, QuantizedTensor]:
    return dict(model.tensors())


def same(one: QuantizedTensor, two: QuantizedTensor) -> bool:
    return (one.format, one.shape) == (two.format, two.shape) and bool(np.array_equal(one.data, two.data))


def network_of(model: GgufModel, folder: Path) -> LanguageNetwork:
    folder.mkdir()
    return to_network(model, folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unchanged_network_is_copied_bit_for_bit(tmp_path: Path, family: str) -> None:
    def small_norm(tensors: dict[str, QuantizedTensor]) -> None:
        # 0.0012345 loses bits when one is taken away from it, as Gemma's norms are read.
        tensors[NORM] = pack(np.full(64, 0.0012345, np.float32), "F32")

    before = rewritten(tiny_gguf(family, tmp_path), tmp_path / "five", small_norm)
    network = network_of(before, tmp_path / "net")
    assert network.source == before.source
    for format in ("F32", "F16", "Q8_0", "Q5_0"):
        after = to_gguf_model(network, lambda name, shape, format=format: format)
        old, new = packed_of(before), packed_of(after)
        assert old.keys() == new.keys()
        assert all(same(old[name], new[name]) for name in old)
        assert after.values == before.values
    smaller = packed_of(to_gguf_model(network, lambda name, shape: "Q4_0"))
    assert {packed.format for packed in smaller.values()} == {"F32", "Q4_0"}


def test_only_what_changed_is_made_anew(tmp_path: Path) -> None:
    before = rewritten(tiny_gguf("llama", tmp_path), tmp_path / "five")
    network = network_of(before, tmp_path / "net")
    with torch.no_grad():
        network.net.model.layers[0].mlp.down_proj.weight[0, 0] += 1.0
        network.net.model.layers[0].input_layernorm.weight[0] += 1.0
    old, new = packed_of(before), packed_of(to_gguf_model(network, lambda name, shape: "Q8_0"))
    assert {name for name in old if not same(old[name], new[name])} == {DOWN, NORM}
    assert new[DOWN].format == "Q8_0"
    assert floats(new[NORM])[0] == floats(old[NORM])[0] + 1.0


def test_rows_that_stayed_are_copied_from_their_old_places(tmp_path: Path) -> None:
    before = rewritten(tiny_gguf("qwen2", tmp_path, tied=True), tmp_path / "five")
    network = network_of(before, tmp_path / "net")
    kept = [0, 1, 2, 7, 300, 301, 460]
    keep_rows(network.net, kept)
    network.values = {}  # the tokenizer is not cut here
    old = packed_of(before)[EMBEDDING]
    source = Source.of(before.source)
    assert source is not None
    value = network.net.model.embed_tokens.weight.detach().numpy()
    found = source.copy(EMBEDDING, value, "Q8_0")
    assert found is not None and same(found, QuantizedTensor("Q5_0", (7, 64), old.data[kept]))
    assert source.copy(EMBEDDING, value, "Q4_0") is None  # smaller than what there is
    assert source.copy(EMBEDDING, value[:, :32].copy(), "F32") is None
    assert source.copy("other.weight", value, "F32") is None
    value = value.copy()
    value[3, 5] += 1e-3
    assert source.copy(EMBEDDING, value, "Q8_0") is None


def test_a_source_that_is_gone_is_none(tmp_path: Path) -> None:
    assert Source.of("") is None
    assert Source.of(str(tmp_path / "gone.gguf")) is None
    artifact = tiny_gguf("llama", tmp_path)
    network = network_of(open_gguf(artifact), tmp_path / "net")
    (artifact.path / FILE).unlink()
    made = packed_of(to_gguf_model(network, lambda name, shape: "F16"))
    assert made[DOWN].format == "F16"


def test_metadata_follow_the_network(tmp_path: Path) -> None:
    artifact = tiny_gguf("llama", tmp_path)
    model = open_gguf(artifact)
    model.values |= {"general.file_type": 7, "general.license": "mine", "tokenizer.chat_template": "{{ x }}"}
    network = network_of(model, tmp_path / "net")
    del network.net.model.layers[1]
    network.net.config.num_hidden_layers = 1
    made = to_gguf_model(network, lambda name, shape: "F16")
    assert made.values["llama.block_count"] == 1
    assert made.values["general.license"] == "mine"
    assert made.values["tokenizer.chat_template"] == "{{ x }}"
    assert "general.file_type" not in made.values
    assert not any(name.startswith("blk.1.") for name, _ in made.tensors())
    (tmp_path / "made").mkdir()
    save_gguf(made, tmp_path / "made")
    assert read_gguf(tmp_path / "made" / FILE).values["llama.block_count"] == 1


def test_the_network_outlives_the_folder_it_was_read_from(tmp_path: Path) -> None:
    network = network_of(open_gguf(tiny_gguf("gemma3_text", tmp_path)), tmp_path / "net")
    before = network.net(torch.tensor([[5, 9]])).logits
    for path in (tmp_path / "net").iterdir():
        path.write_bytes(b"\0" * path.stat().st_size)
    assert torch.equal(network.net(torch.tensor([[5, 9]])).logits, before)


def test_arrays_are_single_precision_and_contiguous(tmp_path: Path) -> None:
    network = network_of(open_gguf(tiny_gguf("llama", tmp_path, tied=False)), tmp_path / "net")
    arrays = dict(gguf_arrays(network))
    assert "output.weight" in arrays and len(arrays) == 2 * 9 + 3
    assert all(value.dtype == np.float32 and value.flags.c_contiguous for value in arrays.values())
    tied = network_of(open_gguf(tiny_gguf("llama", tmp_path / "t", tied=True)), tmp_path / "net2")
    assert "output.weight" not in dict(gguf_arrays(tied))
    assert (bits("Q4_0"), bits("F16"), bits("Q6_K")) == (4.5, 16.0, 6.5625)


def test_factors_of_the_rotary_embedding_survive_the_network(tmp_path: Path) -> None:
    """Llama 3.1 and later keep their rope scaling in a tensor, and say nothing of it in their metadata."""
    artifact = tiny_gguf("llama", tmp_path)

    def with_factors(name: str, values: list[float]) -> GgufModel:
        factors = pack(np.array(values, np.float32), "F32")
        return rewritten(artifact, tmp_path / name, lambda tensors: tensors.update({FACTORS: factors}))

    plain = network_of(with_factors("ones", [1.0] * 8), tmp_path / "net")
    assert plain.net.config.rope_parameters["rope_type"] == "default"
    odd = [1.0, 1.0, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    network = network_of(with_factors("odd", odd), tmp_path / "net2")
    turned, straight = (one.net.model.rotary_emb.inv_freq for one in (network, plain))
    assert torch.allclose(straight / turned, torch.tensor(odd))
    made = packed_of(to_gguf_model(network, lambda name, shape: "F16"))
    assert floats(made[FACTORS]).tolist() == odd
    again = open_language(save_language(network, tmp_path / "saved"))
    assert torch.equal(again.net.model.rotary_emb.inv_freq, turned)
    with pytest.raises(ModelError, match="twice, or 4 pairs"):
        network_of(with_factors("few", [2.0] * 4), tmp_path / "net3")


def test_files_that_cannot_be_taken_apart(tmp_path: Path) -> None:
    artifact = tiny_gguf("llama", tmp_path)

    def refused(seen: str, change: Any = None, **values: Any) -> None:
        number = len(list(tmp_path.iterdir()))
        model = rewritten(artifact, tmp_path / f"file{number}", change, **values)
        with pytest.raises(ModelError, match=seen):
            network_of(model, tmp_path / f"net{number}")

    refused("no tensor token_embd.weight", lambda tensors: tensors.pop(EMBEDDING))
    refused("lacks model.layers.0.mlp.down_proj.weight", lambda tensors: tensors.pop(DOWN))
    experts = {"blk.0.ffn_gate_inp.weight": pack(np.ones((4, 64), np.float32), "F32")}
    refused("tensor blk.0.ffn_gate_inp.weight, which llama does not have", lambda tensors: tensors.update(experts))
    refused("'lamma'", **{"general.architecture": "lamma"})
    refused("lacks llama.context_length", **{"llama.context_length": None})
    refused("kind 'bert'", **{"tokenizer.ggml.model": "bert"})
    refused(
        "lm_head.weight of another shape",
        lambda tensors: tensors.update({EMBEDDING: pack(np.ones((32, 64), np.float32), "F32")}),
    )
