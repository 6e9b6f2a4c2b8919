"""The parts of a decoder's layers that pruning speaks of: gated feed-forward neurons and groups of attention heads.

All families that lighten opens call them alike. In a layer, two kinds of groups go together:

- neuron j of the feed-forward block: row j of ``gate`` and of ``up``, column j of ``down``;
- query head h: rows [h * size, (h + 1) * size) of ``query``, the same columns of ``out``; where it is the last one that
  reads a head of keys and values, that goes too (rows of ``key`` and ``value``). Query heads that read the same keys
  stand side by side.

Every layer keeps as many as every other, because ``config.json`` and GGUF's engines know one number for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lighten.core.errors import ModelError
from lighten.nets.encoders.couple import take_columns, take_rows


@dataclass(frozen=True)
class Decoder:
    """One layer.

    Attributes:
        attention: the module that owns the projections.
        query: [heads * size, hidden]. key, value: [groups * size, hidden]. out: [hidden, heads * size].
        gate, up: [ff, hidden]. down: [hidden, ff].
        size: width of a head.
    """

    attention: nn.Module
    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Linear
    gate: nn.Linear
    up: nn.Linear
    down: nn.Linear
    size: int

    @property
    def heads(self) -> tuple[int, int]:
        """Heads of queries, and of keys and values."""
        return self.query.out_features // self.size, self.key.out_features // self.size


def decoders(net: nn.Module) -> tuple[Decoder, ...]:
    """The parts of every layer of a language model, first layer first.

    Raises:
        ModelError: a layer is not built as expected.
    """
    found = []
    for number, layer in enumerate(net.model.layers):
        attention, block = layer.self_attn, layer.mlp
        try:
            query, key, value, out = (getattr(attention, f"{name}_proj") for name in ("q", "k", "v", "o"))
            gate, up, down = (getattr(block, f"{name}_proj") for name in ("gate", "up", "down"))
        except AttributeError as error:
            raise ModelError(f"Layer {number} of the network cannot be taken apart ({error}).") from error
        found.append(Decoder(attention, query, key, value, out, gate, up, down, int(attention.head_dim)))
    return tuple(found)


def keep_gated(layer: Decoder, kept: Tensor) -> None:
    """Remove all feed-forward neurons but ``kept`` (int64 indices, ascending) from a layer, in place."""
    take_rows(layer.gate, kept)
    take_rows(layer.up, kept)
    take_columns(layer.down, kept)


def keep_queries(layer: Decoder, kept: Tensor) -> None:
    """Remove all query heads but ``kept`` (int64, ascending), and the keys and values that none of them reads.

    Each head of keys and values that stays must keep as many of its queries.
    """
    queries, groups = layer.heads
    read = torch.unique(kept // (queries // groups))
    wide, narrow = ((heads[:, None] * layer.size + torch.arange(layer.size)).flatten() for heads in (kept, read))
    take_rows(layer.query, wide)
    take_rows(layer.key, narrow)
    take_rows(layer.value, narrow)
    take_columns(layer.out, wide)
    attention: Any = layer.attention
    attention.num_key_value_groups = len(kept) // len(read)


def record(net: nn.Module) -> None:
    """Write the sizes of the layers into the network's config.

    Raises:
        ModelError: the layers differ.
    """
    sizes = {(*layer.heads, layer.up.out_features, layer.size) for layer in decoders(net)}
    if len(sizes) != 1:
        raise ModelError(f"The layers differ in their sizes: {sorted(sizes)}.", allowed="one size for all layers")
    config: Any = net.config
    ((config.num_attention_heads, config.num_key_value_heads, config.intermediate_size, config.head_dim),) = sizes
