"""Scaled rotary embeddings: what ``config.json`` and a GGUF file say of them, one in terms of the other.

A rotary embedding turns pair i of a head's numbers by position * theta^(-2i/width). Scaling divides the speed of each
pair by a factor: one for all (``linear``), or one for each, written out in a GGUF file as the tensor
``rope_freqs.weight`` and in ``config.json`` as the four numbers that they follow from (``llama3``).

Source: ``modeling_rope_utils.py`` of transformers; ``convert_hf_to_gguf.py`` of llama.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import ModelError

FACTORS = "rope_freqs.weight"
"""Name of the tensor of factors in GGUF, float32 [width / 2]."""
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""What every model that scales in the way of Llama 3 was published with, beside its factor."""
SAME = 1e-3
"""Relative difference up to which factors are those of a formula: files hold them in single precision."""
Factors = NDArray[np.float32]


def rope_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The rotary embedding of the layers that see the whole sequence, in the spelling of today's transformers.

    Returns:
        ``rope_type`` (``default`` where nothing is scaled), ``rope_theta``, and the numbers of that type.
    """
    given = config.get("rope_parameters") or config.get("rope_scaling") or {}
    given = given.get("full_attention", given)
    kind = given.get("rope_type", given.get("type")) or "default"
    theta = given.get("rope_theta") or config.get("rope_theta") or 10_000.0
    return {**given, "rope_type": str(kind), "rope_theta": float(theta)}


def scaled_metadata(rope: Mapping[str, Any], architecture: str) -> dict[str, Any]:
    """Metadata of a GGUF file for a rotary embedding as :func:`rope_of` gives it, its base frequency aside.

    Raises:
        ModelError: it is scaled in a way that llama.cpp does not compute for this architecture.
    """
    kind = rope["rope_type"]
    if kind == "linear":
        return {f"{architecture}.rope.scaling.type": "linear", f"{architecture}.rope.scaling.factor": rope["factor"]}
    if kind == "default" or (architecture == "llama" and (kind == "llama3" or _written_out(rope))):
        return {}
    raise ModelError(
        f"The model scales its rotary embedding ({kind}), which a GGUF file of {architecture} has no place for.",
        allowed="no scaling, linear" + (", llama3" if architecture == "llama" else ""),
        fix="take the scaling out of config.json: texts within the length that it was trained on are read as before"
        if kind == "dynamic"
        else "convert it with llama.cpp's convert_hf_to_gguf.py and give the file: it is quantized tensor by tensor",
    )


def factors_of(rope: Mapping[str, Any], width: int) -> Factors | None:
    """The factor of each pair of a head's numbers, float32 [width / 2]; None where a file needs none.

    Args:
        rope: as :func:`rope_of` gives it. width: of a head.
    """
    if _written_out(rope):
        return np.asarray(rope["short_factor"], np.float32)
    if rope["rope_type"] != "llama3":
        return None
    factor, low, high = (float(rope[name]) for name in ("factor", "low_freq_factor", "high_freq_factor"))
    context = float(rope["original_max_position_embeddings"])
    lengths = 2 * pi * float(rope["rope_theta"]) ** (np.arange(0, width, 2, dtype=np.float64) / width)
    smooth = (context / lengths - low) / (high - low)
    between = 1.0 / ((1.0 - smooth) / factor + smooth)
    made = np.where(lengths < context / high, 1.0, np.where(lengths > context / low, factor, between))
    return made.astype(np.float32)


def from_factors(factors: Factors, theta: float, context: int) -> dict[str, Any]:
    """The rotary embedding of ``config.json`` for the factors that a GGUF file holds.

    Factors that follow no formula are written out as those of ``longrope``, the same for short and long texts.

    Args:
        factors: [width / 2]. theta: base frequency. context: longest sequence of the model in tokens.
    """
    plain = {"rope_type": "default", "rope_theta": theta}
    if (factors == 1.0).all():
        return plain
    guess = {**plain, **LLAMA3, "rope_type": "llama3", "factor": round(float(factors.max()), 4)}
    expected = factors_of(guess, 2 * len(factors))
    if expected is not None and np.allclose(expected, factors, rtol=SAME, atol=0.0):
        return guess
    listed = [float(factor) for factor in factors]
    return {
        **plain,
        "rope_type": "longrope",
        "short_factor": listed,
        "long_factor": listed,
        "factor": 1.0,
        "attention_factor": 1.0,
        "original_max_position_embeddings": context,
    }


def from_metadata(values: Mapping[str, Any], architecture: str, theta: float) -> dict[str, Any]:
    """The rotary embedding of ``config.json`` for the metadata of a GGUF file.

    Raises:
        ModelError: it is scaled in another way than linearly.
    """
    kind = str(values.get(f"{architecture}.rope.scaling.type") or "none")
    factor = values.get(f"{architecture}.rope.scaling.factor", values.get(f"{architecture}.rope.scale_linear"))
    if kind == "none" and f"{architecture}.rope.scale_linear" in values:
        kind = "linear"
    if kind == "linear":
        return {"rope_type": "linear", "rope_theta": theta, "factor": float(factor or 1.0)}
    if kind != "none":
        raise ModelError(
            f"The file scales its rotary embedding ({kind}).",
            allowed="no scaling, linear, llama3",
            fix="bring the HF folder that it was made from",
        )
    return {"rope_type": "default", "rope_theta": theta}


def _written_out(rope: Mapping[str, Any]) -> bool:
    """Whether factors are the same for texts of every length, and nothing else is scaled."""
    short = rope.get("short_factor")
    alike = short is not None and short == rope.get("long_factor")
    return rope["rope_type"] == "longrope" and alike and rope.get("attention_factor") == 1.0
