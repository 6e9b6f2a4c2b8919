"""Keep some rows of a network's embedding and of its output head, tied or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lighten.core.errors import ModelError

if TYPE_CHECKING:
    from torch import nn


def take_rows(net: nn.Module, kept: Sequence[int]) -> None:
    """Row i of the new [len(kept), width] matrix is row ``kept[i]`` of the old; the ids in the config stay as they are.

    Everything that shares one of these tensors shares the new one. Padding that is gone is no padding any more.

    Raises:
        ModelError: the embedding has fewer rows than the tokenizer has tokens.
    """
    from torch import nn

    embedding, head = net.get_input_embeddings(), net.get_output_embeddings()
    if embedding.weight.shape[0] <= max(kept):
        rows = embedding.weight.shape[0]
        raise ModelError(f"The network's embedding has {rows:,} rows, and its tokenizer the id {max(kept)}.")
    padding = getattr(embedding, "padding_idx", None)
    olds = [embedding.weight, *(() if head is None else (t for t in (head.weight, head.bias) if t is not None))]
    made = {id(old): nn.Parameter(old.detach()[list(kept)].clone(), old.requires_grad) for old in olds}
    for module in net.modules():
        for name, parameter in module._parameters.items():
            if id(parameter) in made:
                module._parameters[name] = made[id(parameter)]
                if isinstance(module, nn.Embedding):
                    module.num_embeddings = len(kept)
                elif isinstance(module, nn.Linear):
                    module.out_features = len(kept)
    embedding.padding_idx = kept.index(padding) if padding in kept else None
    for module in net.modules():
        if isinstance(getattr(module, "vocab_size", None), int):
            module.vocab_size = len(kept)
    net.config.vocab_size = len(kept)
