"""Forward: the outputs of a network for many items, batched by size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lighten.core.item import Item
from lighten.core.reader import Reader
from lighten.data.buckets import batches_by_size
from lighten.nets.network import Network
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.precision import using_threads

MASK = "attention_mask"
"""Input that says which places of a padded row are real."""
FULL = 2048
"""Tokens of a batch, padding included: small batches stay in the cache."""
ITEMS = 512
"""Items that are not padded, such as pictures, that are in memory at a time."""
ELEMENTS = 1_000_000
"""Numbers in a batch of what is not padded, such as pictures."""


def logits(
    network: Network, items: Sequence[Item], threads: int, most: int | None = None, *, dtype: torch.dtype | None = None
) -> NDArray[np.float32]:
    """Outputs of every item, float32 [n, columns], in the order of ``items``.

    Args:
        threads: cores it may use.
        most: tokens or numbers in a batch, padding included; None for what suits the reader.
        dtype: autocast to this (see ``precision.autocast_dtype``); None computes in float32.
    """
    if network.reader.pads:
        return logits_of(network, network.reader(items), threads, most, dtype=dtype)
    parts = [items[start : start + ITEMS] for start in range(0, len(items), ITEMS)] or [items]
    return np.concatenate([logits_of(network, network.reader(some), threads, most, dtype=dtype) for some in parts])


def logits_of(
    network: Network,
    examples: Sequence[Any],
    threads: int,
    most: int | None = None,
    *,
    dtype: torch.dtype | None = None,
) -> NDArray[np.float32]:
    """As :func:`logits`, for items that are read already."""
    found = np.empty((len(examples), network.columns), dtype=np.float32)
    with eval_mode(network.net), using_threads(threads), torch.inference_mode(), casting(dtype), network.shortcut():
        for batch in batches_by_size(network.reader, examples, len(examples) or 1, most or full(network.reader)):
            found[batch] = run(network, [examples[i] for i in batch]).numpy()
    return found


def run(network: Network, examples: Sequence[Any]) -> Tensor:
    """Outputs of one batch, float32 [rows, columns]."""
    return network.outputs(tensors(network.reader.batch(examples)))


def tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """Arrays of a batch as tensors. Rows of one length go without a mask, which saves building one."""
    mask = arrays.get(MASK)
    whole = mask is not None and bool(mask.all())
    return {name: torch.from_numpy(array) for name, array in arrays.items() if not (whole and name == MASK)}


def full(reader: Reader[Any]) -> int:
    """How much goes into a batch that is only answered: tokens of what is padded, else numbers."""
    return FULL if reader.pads else ELEMENTS


def casting(dtype: torch.dtype | None) -> Any:
    """Autocast to ``dtype`` on the CPU; nothing when it is None."""
    return nullcontext() if dtype is None else torch.autocast("cpu", dtype)
