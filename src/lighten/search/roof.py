"""Roof: what part of the most that this machine could do a language model reaches, writing and reading text.

Writing a token reads every weight once, so memory bounds it: bandwidth over bytes. Reading a prompt multiplies every
weight of the layers with each of its tokens, so arithmetic bounds it: two operations for each weight and token. The
embedding is looked up, not multiplied; where it is the output layer too, writing reads it, and of a prompt only the
last token needs it.

Source:
    Williams, Waterman and Patterson, "Roofline" (2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from lighten.core.artifact import HF_CAUSAL, Artifact
from lighten.core.result import Candidate
from lighten.measure.rates import matmul_rate, memory_bandwidth, read_bandwidth
from lighten.nets.facts import weights
from lighten.nets.gguf.file import FILE, GgufHeader, read_gguf

EMBEDDINGS = ("token_embd.weight", "model.embed_tokens.weight")
OUTPUTS = ("output.weight", "lm_head.weight")
"""Names of the two matrices as wide as the vocabulary, in GGUF files and in HF folders."""
BYTES = {"float32": 4, "bfloat16": 2}
"""Bytes of a weight in memory, by the setting ``dtype`` of the engine eager."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a token costs at the least.

    Attributes:
        read: bytes of weights that an output token reads. multiplied: weights that a prompt's token meets.
    """

    read: float
    multiplied: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What this machine does at most.

    Attributes:
        bandwidth: GB/s (1e9 bytes) of reading memory. arithmetic: GFLOP/s of a float32 matrix product.
        disturbed: why they may be far too low; empty when the machine was quiet.
    """

    bandwidth: float
    arithmetic: float
    disturbed: str = ""

    @classmethod
    def here(cls) -> Rates:
        """Of this machine; takes some seconds, once."""
        found = read_bandwidth(), memory_bandwidth(), matmul_rate()
        reasons = (rate.disturbed for rate in found if rate.disturbed)
        return cls(max(found[0].value, found[1].value), found[2].value, next(reasons, ""))


def roof(candidates: Iterable[Candidate], built: Mapping[str, Artifact], rates: Rates) -> dict[str, dict[str, float]]:
    """By key of a candidate (as text): ``decode`` and ``prefill`` as shares of the roof, 1 being all that it allows.

    Candidates of which no weights are known here are left out. Above 1 is possible: arithmetic in small integers is
    faster than that in float32 which is taken for the roof, and what fits into a cache is read faster than memory.

    Args:
        built: artifacts by id.

    Raises:
        ModelError: the header of an artifact cannot be read.
    """
    found: dict[str, dict[str, float]] = {}
    for candidate in candidates:
        artifact = built.get(candidate.artifact)
        load = load_of(artifact, str(candidate.engine_settings.get("dtype", ""))) if artifact is not None else None
        if load is None:
            continue
        most = {
            "decode": rates.bandwidth * 1e9 / load.read if load.read else 0.0,
            "prefill": rates.arithmetic * 1e9 / (2 * load.multiplied) if load.multiplied else 0.0,
        }
        values = {name: candidate.value(name) for name in most}
        shares = {name: value / most[name] for name, value in values.items() if value is not None and most[name] > 0}
        if shares:
            found[str(candidate.key)] = shares
    return found


def load_of(artifact: Artifact, dtype: str = "") -> Load | None:
    """What a token costs the model of an artifact; None where it is not known. dtype: as the engine computes.

    Raises:
        ModelError: its header cannot be read.
    """
    if (artifact.path / FILE).is_file():
        return load_of_gguf(read_gguf(artifact.path / FILE))
    if artifact.format == HF_CAUSAL and dtype in BYTES:
        tensors = {
            name: (tensor.shape, BYTES[dtype] * tensor.elements) for name, tensor in weights(artifact.path).items()
        }
        return _load(tensors, 1.0)
    return None


def load_of_gguf(header: GgufHeader) -> Load:
    """What a token costs the model of a GGUF file. Of experts, as many count as a token meets."""
    experts = header.values.get(f"{header.architecture}.expert_count") or 1
    used = header.values.get(f"{header.architecture}.expert_used_count") or experts
    tensors = {name: (tensor.shape, tensor.end - tensor.begin) for name, tensor in header.tensors.items()}
    return _load(tensors, used / experts)


def _load(tensors: Mapping[str, tuple[tuple[int, ...], int]], used: float) -> Load:
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
    return Load(read, multiplied)
