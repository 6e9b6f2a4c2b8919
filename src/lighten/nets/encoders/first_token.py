"""Answer from the first token: the last layer computes only what the classifier reads.

A sequence classifier of the BERT kind reads the last layer at the first position and nowhere else. There, the layer
needs the keys and values of all positions, but query, attention, output projection and feed-forward block of the first
one only. The answer is the same, not an approximation; of the last layer's matrix products 10 of 12 fall away (with a
feed-forward block four times as wide as the network): 14 % of a network of six layers, 28 % of one of three, there and
back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from lighten.nets.encoders.walk import Layer, head_size, layer_list, layers

BERT_LIKE = ("bert", "roberta", "xlm-roberta", "camembert", "electra")
FAMILIES = (*BERT_LIKE, "distilbert")
"""Families whose last layer can be told to do so; others compute everything as ever."""


@contextmanager
def answering_from_first_token(net: nn.Module) -> Iterator[bool]:
    """Inside, the last layer of a sequence classifier returns [batch, 1, hidden]. Export and training may use it.

    Yields:
        Whether it applies to this family; False changes nothing.
    """
    decodes = getattr(net.config, "is_decoder", False)  # each token sees those before it: the first one nothing else
    if net.config.model_type not in FAMILIES or decodes or len(layer_list(net)) < 1:
        yield False
        return
    part = layers(net)[-1]
    shorten = _bert_like if net.config.model_type in BERT_LIKE else _distilbert
    part.module.forward = shorten(part, head_size(net))
    try:
        yield True
    finally:
        del part.module.forward  # the class's own forward shows again


def _attend(part: Layer, size: int, hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of the first position. hidden: [batch, tokens, width]; mask: [batch, 1, tokens, tokens] or None.

    Returns [batch, 1, heads * size], before the output projection.
    """

    def by_head(projected: Tensor) -> Tensor:
        return projected.unflatten(-1, (-1, size)).transpose(1, 2)

    query = by_head(part.query(hidden[:, :1]))
    mixed = scaled_dot_product_attention(
        query,
        by_head(part.key(hidden)),
        by_head(part.value(hidden)),
        attn_mask=None if mask is None else mask[:, :, :1],
        dropout_p=part.attention.dropout.p if part.module.training else 0.0,
    )
    return mixed.transpose(1, 2).flatten(2)


def _bert_like(part: Layer, size: int) -> Callable[..., Tensor]:
    def forward(hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
        mixed = _attend(part, size, hidden_states, attention_mask)
        attended = part.module.attention.output(mixed, hidden_states[:, :1])
        result: Tensor = part.module.feed_forward_chunk(attended)
        return result

    return forward


def _distilbert(part: Layer, size: int) -> Callable[..., Tensor]:
    def forward(hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
        mixed = part.out(_attend(part, size, hidden_states, attention_mask))
        attended = part.module.sa_layer_norm(mixed + hidden_states[:, :1])
        result: Tensor = part.module.output_layer_norm(part.module.ffn(attended) + attended)
        return result

    return forward
