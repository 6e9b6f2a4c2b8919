"""The loss and gradients of the next token are those of the plain way."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from lighten.nets.language import next_token
from lighten.nets.language.network import open_language
from lighten.nets.language.next_token import hidden_at_targets, nats_per_token
from lighten.nets.language.windows import windows
from lighten.testing.tiny_language import FAMILIES, tiny_language, tiny_texts

TEXTS = tiny_texts(24, 4)


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_the_plain_way(
    tmp_path: Path, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows padded together and a head computed in pieces, against one row at a time and all logits at once."""
    model = open_language(tiny_language(family, tmp_path))
    batch = windows(model, TEXTS, 40)[:5]
    assert len({len(row) for row in batch}) > 2
    monkeypatch.setattr(next_token, "PLACES", 7)
    loss = next_token.next_token()(model.net, batch, 1.0)
    found = {name: parameter.grad.clone() for name, parameter in model.net.named_parameters()}
    model.net.zero_grad()
    total, count = torch.zeros(()), sum(len(row) - 1 for row in batch)
    for row in batch:
        logits = model.net(torch.tensor([row])).logits[0, :-1]
        total = total + cross_entropy(logits, torch.tensor(row[1:]), reduction="sum") / count
    total.backward()
    assert loss == pytest.approx(total.item(), abs=1e-5)
    assert nats_per_token(model.net, batch) == pytest.approx(total.item(), abs=1e-5)
    for name, parameter in model.net.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, atol=1e-5, rtol=1e-3)


def test_no_more_logits_are_held_at_once_than_while_it_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_language(tiny_language("llama", tmp_path))
    row = [token for window in windows(model, TEXTS, 40) for token in window][:30]
    with torch.inference_mode():
        plain = float(cross_entropy(model.net(torch.tensor([row])).logits[0, :-1], torch.tensor(row[1:])))
    monkeypatch.setattr(next_token, "PLACES", 8)
    seen: list[int] = []
    model.net.lm_head.register_forward_hook(lambda _, __, logits: seen.append(len(logits)))
    assert nats_per_token(model.net, [row]) == pytest.approx(plain, abs=1e-5)
    assert seen == [8, 8, 8, 5]


def test_the_head_reads_every_place_that_has_a_next_token(tmp_path: Path) -> None:
    model = open_language(tiny_language("llama", tmp_path))
    hidden, targets = hidden_at_targets(model.net, [[1, 8, 9], [1, 7]])
    assert hidden.shape == (3, 64)
    assert targets.tolist() == [8, 9, 7]
