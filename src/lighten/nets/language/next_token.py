"""Next token: the loss of a language model at the places of a text, and its gradients, some places at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lighten.nets.language.windows import Window

PLACES, NUMBERS = 256, 1 << 24
"""Places whose logits are held at a time, at most, and numbers that these are, about: 64 MiB, several times over."""

Objective = Callable[[nn.Module, list[Window], float], float]
"""Adds the gradients of a batch's mean loss, times a weight, to a network; returns the loss, in nats per token."""
PlaceLoss = Callable[[Tensor, Tensor, slice], Tensor]
"""Logits [places, tokens], next tokens [places] and where in the batch these places are, to the sum of the losses."""


def next_token(smoothing: float = 0.0) -> Objective:
    """The next token by cross entropy, of which ``smoothing`` is spread over all tokens."""

    def loss(logits: Tensor, targets: Tensor, _: slice) -> Tensor:
        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)

    return lambda net, batch, weight: descend(net, batch, loss, weight)


def descend(net: nn.Module, batch: list[Window], loss: PlaceLoss, weight: float = 1.0) -> float:
    """Gradients of the mean loss of a batch, times ``weight``; the head is computed for some places at a time, to need
    little memory. Returns the mean loss."""
    hidden, targets = hidden_at_targets(net, batch)
    cut = hidden.detach().requires_grad_(True)
    total, at_once, head = 0.0, places_at_once(net), _head(net)
    for begin in range(0, len(targets), at_once):
        places = slice(begin, begin + at_once)
        mean = loss(head(cut[places]).float(), targets[places], places) / len(targets)
        (mean * weight).backward()
        total += float(mean.detach())
    assert cut.grad is not None
    hidden.backward(cut.grad)
    return total


def _head(net: Any) -> Callable[[Tensor], Tensor]:
    """The head; one that does not learn is cast once for a whole batch, as autocast does with those that do."""
    weight: Tensor = net.lm_head.weight
    if weight.requires_grad or not torch.is_autocast_enabled("cpu"):
        own: Callable[[Tensor], Tensor] = net.lm_head
        return own
    cast, bias = weight.to(torch.get_autocast_dtype("cpu")), net.lm_head.bias
    return lambda hidden: torch.nn.functional.linear(hidden, cast, bias)


def places_at_once(net: nn.Module) -> int:
    """Places whose logits are held at a time: fewer where the vocabulary is large."""
    return max(min(PLACES, NUMBERS // int(net.config.vocab_size)), 8)


def hidden_at_targets(net: nn.Module, batch: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the head reads at every place that has a next token: [places, width], and these tokens [places]."""
    longest = max(map(len, batch))
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    targets = torch.full((len(batch), longest), -100)
    for i, row in enumerate(batch):
        ids[i, : len(row)] = torch.tensor(row)
        targets[i, : len(row) - 1] = torch.tensor(row[1:])
    # No attention mask: places after the end of a row come later than all that is learnt, and look back only.
    output: Any = net.model(input_ids=ids, use_cache=False)
    wanted = targets != -100
    return output.last_hidden_state[wanted], targets[wanted]


def nats_per_token(net: nn.Module, rows: Sequence[Sequence[int]]) -> float:
    """Mean cross entropy of the next token over windows, without training; the head is computed as in
    :func:`descend`, for some places at a time."""
    nats, count, at_once = 0.0, 0, places_at_once(net)
    with torch.inference_mode():
        head = _head(net)
        for row in rows:
            hidden, targets = hidden_at_targets(net, [list(row)])
            for begin in range(0, len(targets), at_once):
                places = slice(begin, begin + at_once)
                logits = head(hidden[places]).float()
                nats += float(torch.nn.functional.cross_entropy(logits, targets[places], reduction="sum"))
            count += len(targets)
    return nats / max(count, 1)
