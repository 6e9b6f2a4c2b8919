"""What a module of unknown code is, as far as steps ask: seen while it answers two inputs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn

from lighten.nets.forward import tensors
from lighten.nets.module.blocks import block_lists
from lighten.nets.network import Network

MOSTLY = 0.8
"""Share of the products from which nearly all arithmetic is in one kind of layer."""
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d)
RECURRENT = (nn.LSTM, nn.GRU, nn.RNN)


def facts_by_running(network: Network) -> dict[str, Any]:
    """Facts of a network of the user's own.

    Returns:
        ``blocks``: how many could be left out; ``convolutions``: whether nearly all arithmetic is in them;
        ``attention``, ``recurrent``: whether it has any of that; of one that reads tokens ``tokenizer``, its kind, and
        ``filled``, whether it takes texts of one length only.
    """
    own: nn.Module = network.net.own
    work = _products(network)
    kinds = {type(module) for module in own.modules()}
    sizes = [len(part) for part in block_lists(own).values()]
    words = "vocabulary" in network.reader.sizes()
    return {
        "blocks": sum(size - 1 for size in sizes),
        "convolutions": work["convolution"] > MOSTLY * max(sum(work.values()), 1),
        "attention": any("attention" in kind.__name__.lower() for kind in kinds),
        "recurrent": any(issubclass(kind, RECURRENT) for kind in kinds),
        **({"tokenizer": "learned here", "filled": not network.reader.pads} if words else {}),
    }


def _products(network: Network) -> Counter[str]:
    """Products of two numbers that answering two inputs takes, by the kind of layer."""
    found: Counter[str] = Counter()

    def seen(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, CONVOLUTIONS):
            found["convolution"] += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            found["linear"] += output.numel() * module.in_features
        elif isinstance(module, RECURRENT):
            places = inputs[0].numel() // module.input_size
            found["recurrent"] += places * sum(one.numel() for one in module.parameters() if one.dim() > 1)

    hooks = [module.register_forward_hook(seen) for module in network.net.own.modules()]
    try:
        with torch.inference_mode():
            probe = network.reader.probe()[:1]
            given: dict[str, Tensor] = tensors(network.reader.batch([probe[0], probe[0]]))
            network.outputs(given)
    finally:
        for hook in hooks:
            hook.remove()
    return found
