"""Logits for many texts, and the last layer at the first token only: the same answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.nets.encoders.first_token import FAMILIES as SHORTENED
from lighten.nets.encoders.first_token import answering_from_first_token
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.walk import layer_list
from lighten.nets.facts import FAMILIES
from lighten.nets.forward import logits
from lighten.testing.tiny import tiny_network_folder, toy_rows


@pytest.mark.parametrize("family", FAMILIES)
def test_batches_and_padding_change_no_answer(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family, layers=2))
    texts = ["", *toy_rows(30).inputs]
    with torch.no_grad():
        one_by_one = [network.net(input_ids=torch.tensor([ids])).logits for ids in network.reader(texts)]
    for most in (1, 40, 10_000):
        found = logits(network, texts, threads=1, most=most)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, torch.cat(one_by_one), atol=1e-5)


def test_no_texts_give_no_rows(tmp_path: Path) -> None:
    assert logits(open_network(tiny_network_folder(tmp_path)), [], threads=1).shape == (0, 2)


def test_leaves_network_and_threads_as_they_were(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path))
    network.net.train()
    before = torch.get_num_threads()
    logits(network, ["good"], threads=1)
    assert network.net.training
    assert torch.get_num_threads() == before
    assert "forward" not in vars(layer_list(network.net)[-1])


BOTH = [(family, attention) for family in FAMILIES for attention in ("sdpa", "eager")]


@pytest.mark.parametrize(
    ("family", "attention"), [pair for pair in BOTH if pair != ("mpnet", "sdpa")]
)  # transformers has no sdpa attention for mpnet
def test_first_token_alone_gives_the_same_answers_and_gradients(tmp_path: Path, family: str, attention: str) -> None:
    net = open_network(tiny_network_folder(tmp_path, family, layers=2)).net
    net.set_attn_implementation(attention)
    pad = net.config.pad_token_id
    ids = torch.tensor([[2, 5, 6, 25, 3], [2, 9, 3, pad, pad]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])

    def run() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        net.zero_grad()
        output = net(input_ids=ids, attention_mask=mask).logits
        output.square().sum().backward()
        return output.detach(), {n: p.grad for n, p in net.named_parameters() if p.grad is not None}

    whole, gradients = run()
    with answering_from_first_token(net) as applies:
        assert applies == (family in SHORTENED)
        short, short_gradients = run()
        states = net.base_model(input_ids=ids, attention_mask=mask)[0]
    assert states.shape[1] == (1 if applies else 5)
    torch.testing.assert_close(short, whole)
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            short_gradients.get(name, torch.zeros_like(gradient)), gradient, atol=1e-5, rtol=1e-4
        )
