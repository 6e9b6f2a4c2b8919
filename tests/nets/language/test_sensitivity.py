"""How much a matrix minds being rounded: by hand for one layer, and against the loss itself for a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.errors import StepFailed
from lighten.core.step import Silent
from lighten.nets.gguf.families import family_of_config, hf_name
from lighten.nets.language.network import LanguageNetwork, open_language
from lighten.nets.language.next_token import nats_per_token
from lighten.nets.language.sensitivity import Curvature, as_importance, measure_curvature
from lighten.nets.language.windows import windows
from lighten.testing.tiny_language import FAMILIES, tiny_language, tiny_texts

TEXTS = tiny_texts(8, 6)


def measure(model: LanguageNetwork, tokens: int = 10_000) -> dict[str, Curvature]:
    return dict(measure_curvature(model, TEXTS, tokens=tokens, longest=64, threads=1, watch=Silent()))


def test_the_loss_of_a_rounding_by_hand() -> None:
    """Row 0 is off by 1 in column 0, row 1 by 2 in column 1: 3 * (1 * 5) + 0.5 * (4 * 7)."""
    curvature = Curvature(np.array([5.0, 7.0], np.float32), np.array([3.0, 0.5], np.float32))
    exact = np.array([[1.0, 1.0], [1.0, 1.0]], np.float32)
    assert curvature.loss(exact, np.array([[2.0, 1.0], [1.0, -1.0]], np.float32)) == 3 * 5 + 0.5 * 4 * 7
    assert curvature.loss(exact, exact) == 0.0
    tall = Curvature(np.ones(1, np.float32), np.arange(20_000, dtype=np.float32))
    off = np.zeros((20_000, 1), np.float32)
    off[[3, 9_000, 19_999]] = 1.0
    assert tall.loss(np.zeros_like(off), off) == 3 + 9_000 + 19_999


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_by_hand(tmp_path: Path, tied: bool) -> None:
    """The gradient of the loss at the logits is the probabilities less the token itself."""
    model = open_language(tiny_language("qwen2", tmp_path, tied=tied))
    found = measure(model)["token_embd.weight" if tied else "output.weight"]
    inputs, outputs, count = torch.zeros(64), torch.zeros(model.net.config.vocab_size), 0
    with torch.inference_mode():
        for row in windows(model, TEXTS, 64):
            hidden = model.net.model(torch.tensor([row])).last_hidden_state[0, :-1]
            wanted = torch.nn.functional.one_hot(torch.tensor(row[1:]), len(outputs))
            outputs += (model.net.lm_head(hidden).softmax(-1) - wanted).square().sum(0)
            inputs += hidden.square().sum(0)
            count += len(hidden)
    np.testing.assert_allclose(found.inputs, (inputs / count).numpy(), rtol=1e-4)
    np.testing.assert_allclose(found.outputs, (outputs / count).numpy(), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_matrix_is_measured_and_the_network_left_as_it_was(tmp_path: Path, family: str) -> None:
    model = open_language(tiny_language(family, tmp_path))
    for parameter in list(model.net.parameters())[::2]:
        parameter.requires_grad_(False)
    before = [parameter.requires_grad for parameter in model.net.parameters()]
    found = measure(model)
    names = family_of_config(model.net.config.to_dict())
    shapes = {name: tuple(value.shape) for name, value in model.net.state_dict().items() if value.dim() > 1}
    tied = model.net.config.tie_word_embeddings
    assert len(found) == len(shapes) - 1  # of embedding and head one is measured: tied they are the same
    for name, curvature in found.items():
        shape = shapes[hf_name(names, name)]
        assert (len(curvature.outputs), len(curvature.inputs)) == shape
        assert (curvature.inputs > 0).all() and (curvature.outputs >= 0).all() and curvature.outputs.max() > 0
    assert ("token_embd.weight" in found) == tied
    assert [parameter.requires_grad for parameter in model.net.parameters()] == before
    assert all(parameter.grad is None for parameter in model.net.parameters())
    assert not any(module._forward_hooks for module in model.net.modules())


def test_rows_of_queries_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The first head's rows 0, 1, 2, ... of a 16-row head are 0, 8, 1, 9, ... in the file."""
    model = open_language(tiny_language("llama", tmp_path))
    with torch.no_grad():  # a query row and its key row of nothing have no gradient
        model.net.model.layers[0].self_attn.k_proj.weight[[1, 9]] = 0.0
        model.net.model.layers[0].self_attn.q_proj.weight[[1, 9, 17, 25]] = 0.0
    outputs = measure(model)["blk.0.attn_k.weight"].outputs
    assert np.flatnonzero(outputs < 1e-12).tolist() == [2, 3]


def test_the_matrix_that_the_loss_minds_more_is_told(tmp_path: Path) -> None:
    """Random changes of one size, in each matrix by itself: mean rise of the loss and estimate agree in order."""
    model = open_language(tiny_language("llama", tmp_path))
    found, names = measure(model), family_of_config(model.net.config.to_dict())
    rows, rng = windows(model, TEXTS, 64), torch.Generator().manual_seed(0)
    base = nats_per_token(model.net, rows)
    risen, estimated = [], []
    for name in ("blk.0.attn_v.weight", "blk.0.attn_q.weight", "blk.1.ffn_down.weight", "blk.1.ffn_up.weight"):
        weight = model.net.get_parameter(hf_name(names, name))
        rise = 0.0
        for _ in range(3):
            change = 0.03 * torch.randn(weight.shape, generator=rng)
            for sign in (1, -1):  # both ways, so that the slope falls out
                with torch.no_grad():
                    weight += sign * change
                rise += nats_per_token(model.net, rows) - base
                with torch.no_grad():
                    weight -= sign * change
        risen.append(rise)
        off = np.full(weight.shape, 0.03, np.float32)
        estimated.append(found[name].loss(off, np.zeros_like(off)))
    assert np.argsort(risen).tolist() == np.argsort(estimated).tolist()


def test_more_text_than_asked_for_is_not_read(tmp_path: Path) -> None:
    model = open_language(tiny_language("llama", tmp_path))
    few, all_ = measure(model, 3), measure(model)
    assert not np.allclose(few["blk.0.ffn_up.weight"].inputs, all_["blk.0.ffn_up.weight"].inputs)
    with pytest.raises(StepFailed, match="nothing to score"):
        measure_curvature(model, ["", ""], tokens=9, longest=64, threads=1, watch=Silent())


def test_no_column_is_without_importance() -> None:
    found = as_importance({"a": Curvature(np.array([0.0, 2.0], np.float32), np.ones(1, np.float32))})
    assert found["a"].tolist() == [np.float32(1e-12), 2.0]
