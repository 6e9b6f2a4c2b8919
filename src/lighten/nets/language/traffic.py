"""Traffic: which weights of a language model a token reads, and which it meets, told from headers alone.

Writing a token reads every weight once. Of a prompt each token is multiplied with every weight of the layers. The
embedding is looked up, not multiplied; where it is the output layer too, writing reads it, and of a prompt only the
last token needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path

from lighten.core.format import Traffic
from lighten.nets.facts import weights
from lighten.nets.gguf.file import GgufHeader

EMBEDDINGS = ("token_embd.weight", "model.embed_tokens.weight")
OUTPUTS = ("output.weight", "lm_head.weight")
"""Names of the two matrices as wide as the vocabulary, in GGUF files and in HF folders."""
BYTES = {"float32": 4, "bfloat16": 2}
"""Bytes of a weight in memory, by the type that a network computes in."""


def folder_traffic(folder: Path, dtype: str) -> Traffic | None:
    """What a token costs the model of an HF folder; None where it is not known. dtype: that it computes in.

    Raises:
        ModelError: its headers cannot be read.
    """
    if dtype not in BYTES:
        return None
    return _traffic({name: (one.shape, BYTES[dtype] * one.elements) for name, one in weights(folder).items()}, 1.0)


def gguf_traffic(header: GgufHeader) -> Traffic:
    """What a token costs the model of a GGUF file. Of experts, as many count as a token meets."""
    experts = header.values.get(f"{header.architecture}.expert_count") or 1
    used = header.values.get(f"{header.architecture}.expert_used_count") or experts
    tensors = {name: (tensor.shape, tensor.end - tensor.begin) for name, tensor in header.tensors.items()}
    return _traffic(tensors, used / experts)


def _traffic(tensors: Mapping[str, tuple[tuple[int, ...], int]], used: float) -> Traffic:
    """tensors: shape and bytes by name. used: share of the experts that a token meets."""
    tied = not any(name in OUTPUTS for name in tensors)
    read = multiplied = 0.0
    for name, (shape, size) in tensors.items():
        part = used if "_exps." in name else 1.0
        wide = "embd" in name or name in EMBEDDINGS
        if not wide or (tied and name in EMBEDDINGS):
            read += part * size
        if not wide and name not in OUTPUTS and len(shape) > 1:
            multiplied += part * prod(shape)
    return Traffic(read, multiplied)
