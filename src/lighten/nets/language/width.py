"""Make a decoder narrower: choose neurons and query heads, take them out, and let the others make up for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lighten.core.step import Watch
from lighten.nets.encoders.surgeon import Inputs, operate
from lighten.nets.language.decoder import Decoder, decoders, keep_gated, keep_queries, record
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.language.windows import windows

ROOM = 1 << 29
"""Bytes of covariances that are held at a time; more layers are looked at in several passes over the text."""
TOKENS, LONGEST = 8192, 512
"""Tokens that are read to find out what the layers are fed, about; and of a window."""
BLOCKS = (256, 32)
"""Numbers in a block of GGUF's formats: columns of a matrix are a multiple of one of these."""


def narrow(
    network: LanguageNetwork, ff: float, heads: float, texts: Sequence[str] | None, *, watch: Watch
) -> LanguageNetwork:
    """Keep shares of the feed-forward neurons and of the query heads, as many in each layer, in place.

    Args:
        texts: that the layers are fed, so that those parts go for which the others can make up, and they do; None
            chooses by the size of the weights alone and moves none.
    """
    layers = decoders(network.net)
    (queries_, groups), size, wide = layers[0].heads, layers[0].size, layers[0].up.out_features
    count, (kept_groups, each) = neurons(ff * wide, wide), queries(heads, queries_, groups, size)
    cut = count < wide, kept_groups * each < queries_
    done = 0
    for some in in_room(layers, *cut) if any(cut) else ():
        maps = [m for layer in some for m in cut_maps(layer, *cut)]
        fed = dict(zip(maps, gather(network, maps, texts, TOKENS), strict=True)) if texts is not None else {}
        for layer in some:
            if cut[0]:
                kept, weight, bias = _neurons(layer, fed.get(layer.down), count)
                keep_gated(layer, kept)
                _put(layer.down, weight, bias)
            if cut[1]:
                kept, weight, bias = _queries(layer, fed.get(layer.out), kept_groups, each)
                keep_queries(layer, kept)
                _put(layer.out, weight, bias)
            done += 1
            watch.progress(done, len(layers), "taking out neurons and heads")
    record(network.net)
    return network


def _neurons(layer: Decoder, inputs: Inputs | None, count: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Neurons that stay, the weights of ``down`` for them, and its bias."""
    if inputs is not None:
        return operate(layer.down, inputs, count)
    rows = layer.gate.weight.detach().norm(dim=1) * layer.up.weight.detach().norm(dim=1)
    kept = torch.topk(rows * layer.down.weight.detach().norm(dim=0), count).indices.sort().values
    return kept, layer.down.weight.detach()[:, kept], layer.down.bias


def _queries(layer: Decoder, inputs: Inputs | None, groups: int, each: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Query heads that stay, ``each`` of ``groups`` heads of keys, the weights of ``out`` for them, and its bias."""
    heads, before = layer.heads
    whole = groups < before  # then all queries of a head of keys go together, else some of each
    together = heads // before if whole else 1
    wide, blocks = together * layer.size, 1 if whole else before
    if inputs is not None:
        kept, weight, bias = operate(layer.out, inputs, groups if whole else groups * each, wide, blocks)
    else:
        norms = layer.out.weight.detach().unflatten(1, (blocks, -1, wide)).norm(dim=(0, 3))  # [blocks, parts]
        best = torch.topk(norms, groups if whole else each).indices.sort().values
        kept = (best + torch.arange(blocks)[:, None] * norms.shape[1]).flatten()
        weight, bias = layer.out.weight.detach()[:, _spelled(kept, wide)], layer.out.bias
    return _spelled(kept, together), weight, bias


def _spelled(parts: Tensor, wide: int) -> Tensor:
    """Indices of what parts consist of, ``wide`` of them in each."""
    return (parts[:, None] * wide + torch.arange(wide)).flatten()


def _put(linear: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    linear.weight = nn.Parameter(weight.contiguous())
    if bias is not None:
        linear.bias = nn.Parameter(bias.detach())


def neurons(wanted: float, size: int) -> int:
    """``wanted`` neurons as a multiple of the largest of ``BLOCKS`` that fits, so that every format can be used.

    >>> neurons(0.5 * 2048, 2048), neurons(0.33 * 2048, 2048), neurons(0.5 * 96, 96), neurons(0.9 * 4864, 4864)
    (1024, 768, 64, 4352)
    """
    block = next((b for b in BLOCKS if size % b == 0 and size > b), 1)
    return min(size, max(block, int(wanted / block + 0.5) * block))


def queries(share: float, heads: int, groups: int, size: int) -> tuple[int, int]:
    """How many heads of keys and values stay, and how many query heads for each: as near to ``share`` as can be.

    Whole groups go, or as many queries of each; groups where both are as near, because they save cache as well.

    >>> queries(0.67, 4, 1, 256), queries(0.5, 32, 8, 64), queries(0.67, 12, 2, 64), queries(1.0, 4, 1, 256)
    ((1, 3), (4, 4), (2, 4), (1, 4))
    """
    each = heads // groups
    options = [*((g, each) for g in range(1, groups + 1)), *((groups, q) for q in range(1, each))]
    fitting = [(g, q) for g, q in options if g * q * size % BLOCKS[-1] == 0 or g * q == heads]
    return min(fitting, key=lambda option: abs(option[0] * option[1] - share * heads))


def in_room(layers: Sequence[Decoder], ff: bool, heads: bool) -> Iterator[Sequence[Decoder]]:
    """The layers in runs whose covariances fit into ``ROOM`` together; one layer always does."""
    each = max(sum(m.in_features**2 * 4 for m in cut_maps(layers[0], ff, heads)), 1)
    step = max(ROOM // each, 1)
    for begin in range(0, len(layers), step):
        yield layers[begin : begin + step]


def cut_maps(layer: Decoder, ff: bool, heads: bool) -> list[nn.Linear]:
    """The maps whose columns go when neurons or heads do."""
    return [*([layer.down] if ff else []), *([layer.out] if heads else [])]


def gather(network: LanguageNetwork, maps: Sequence[nn.Linear], texts: Sequence[str], tokens: int) -> list[Inputs]:
    """What each of ``maps`` is fed on texts of together about ``tokens`` tokens, spread evenly over ``texts``."""
    found = [Inputs(torch.zeros(m.in_features, m.in_features), torch.zeros(m.in_features)) for m in maps]

    def counting(inputs: Inputs) -> Any:
        def hook(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            inputs.add(given[0].reshape(-1, given[0].shape[-1]))

        return hook

    hooks = [m.register_forward_pre_hook(counting(inputs)) for m, inputs in zip(maps, found, strict=True)]
    net: Any = network.net
    try:
        with torch.inference_mode():
            for row in spread(windows(network, texts, LONGEST), tokens):
                net.model(input_ids=torch.tensor([row]), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def spread(rows: Sequence[list[int]], tokens: int) -> list[list[int]]:
    """Evenly spaced rows of together about ``tokens`` tokens."""
    total = sum(map(len, rows))
    count = min(len(rows), max(round(len(rows) * tokens / max(total, 1)), 1))
    return [rows[i * len(rows) // count] for i in range(count)]
