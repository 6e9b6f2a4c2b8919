"""Forward: the logits of a network for many texts, batched by length."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lighten.core.item import Item
from lighten.data.buckets import batches_by_length, pad
from lighten.nets.encoders.first_token import answering_from_first_token
from lighten.nets.encoders.network import Network
from lighten.nets.training.precision import using_threads


def logits(
    network: Network,
    texts: Sequence[Item],
    threads: int,
    max_tokens_per_batch: int = 2048,
    *,
    dtype: torch.dtype | None = None,
) -> NDArray[np.float32]:
    """Logits of every text, float32 [n, classes], in the order of ``texts``.

    Args:
        threads: cores it may use.
        max_tokens_per_batch: padding included; small batches stay in the cache.
        dtype: autocast to this (see ``precision.autocast_dtype``); None computes in float32.
    """
    return logits_of_ids(network, network.encoder(texts), threads, max_tokens_per_batch, dtype=dtype)


def logits_of_ids(
    network: Network,
    ids: Sequence[Sequence[int]],
    threads: int,
    max_tokens_per_batch: int = 2048,
    *,
    dtype: torch.dtype | None = None,
) -> NDArray[np.float32]:
    """As :func:`logits`, for texts that are encoded already."""
    net, training = network.net, network.net.training
    found = np.empty((len(ids), len(network.labels)), dtype=np.float32)
    net.eval()
    try:
        with using_threads(threads), torch.inference_mode(), casting(dtype), answering_from_first_token(net):
            for batch in batches_by_length([len(i) for i in ids], len(ids) or 1, max_tokens_per_batch):
                found[batch] = run(net, [ids[i] for i in batch], network.encoder.pad_id).numpy()
    finally:
        net.train(training)
    return found


def run(net: nn.Module, ids: Sequence[Sequence[int]], pad_id: int) -> Tensor:
    """Logits of one batch, float32 [rows, classes]. Rows of one length go without a mask, which saves building one."""
    input_ids, mask = pad(ids, pad_id)
    whole = bool(mask.all())
    output: Tensor = net(
        input_ids=torch.from_numpy(input_ids), attention_mask=None if whole else torch.from_numpy(mask)
    ).logits
    return output.float()


def casting(dtype: torch.dtype | None) -> Any:
    """Autocast to ``dtype`` on the CPU; nothing when it is None."""
    return nullcontext() if dtype is None else torch.autocast("cpu", dtype)
