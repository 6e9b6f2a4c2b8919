"""Couple: which rows and columns of which matrices go together when a head or a neuron is removed.

Graph, group, importance, policy are the four concepts of structural pruning (Fang et al. 2023, DepGraph). In an encoder
layer there are two kinds of groups, so the graph is written down here rather than traced:

- neuron j of the feed-forward block: row j of ``up`` (and its bias), column j of ``down``;
- head h: rows [h * size, (h + 1) * size) of query, key and value (and their biases), the same columns of ``out``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lighten.nets.encoders.walk import Layer


def keep_neurons(layer: Layer, kept: Tensor) -> None:
    """Remove all feed-forward neurons but ``kept`` (int64 indices, ascending) from a layer, in place."""
    take_rows(layer.up, kept)
    take_columns(layer.down, kept)


def keep_heads(layer: Layer, kept: Tensor, size: int) -> None:
    """Remove all heads but ``kept`` (int64 indices, ascending) from a layer, in place. size: width of one head."""
    places = (kept[:, None] * size + torch.arange(size)).flatten()
    for projection in (layer.query, layer.key, layer.value):
        take_rows(projection, places)
    take_columns(layer.out, places)
    attention = layer.attention  # the families keep one or both of these counts beside their matrices
    for name, value in (("num_attention_heads", len(kept)), ("n_heads", len(kept)), ("all_head_size", len(places))):
        if hasattr(attention, name):
            setattr(attention, name, value)


def resize(layers: Sequence[Layer], heads: Sequence[int], ff: Sequence[int], size: int) -> None:
    """Give freshly built layers the numbers of heads and neurons of a pruned network (values: the first ones').

    Args:
        heads, ff: per layer, at most what the layer has.
        size: width of one head.
    """
    for layer, head_count, ff_size in zip(layers, heads, ff, strict=True):
        if ff_size != layer.up.out_features:
            keep_neurons(layer, torch.arange(ff_size))
        if head_count * size != layer.query.out_features:
            keep_heads(layer, torch.arange(head_count), size)


def take_rows(linear: nn.Linear, kept: Tensor) -> None:
    """Keep the outputs ``kept`` of a linear map, in place."""
    linear.weight = nn.Parameter(linear.weight.detach()[kept].contiguous())
    if linear.bias is not None:
        linear.bias = nn.Parameter(linear.bias.detach()[kept].contiguous())
    linear.out_features = len(kept)


def take_columns(linear: nn.Linear, kept: Tensor) -> None:
    """Keep the inputs ``kept`` of a linear map, in place."""
    linear.weight = nn.Parameter(linear.weight.detach()[:, kept].contiguous())
    linear.in_features = len(kept)
