"""Which function of ``nets`` opens and saves each artifact format that a step can take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lighten.core.artifact import (
    BASELINES,
    GGUF,
    HF,
    HF_CAUSAL,
    ONNX,
    ONNX_INT8,
    OPENVINO,
    OPENVINO_CAUSAL,
    OPENVINO_INT8,
    Artifact,
)
from lighten.core.errors import ModelError


def open_model(artifact: Artifact, labels: tuple[str, ...]) -> Any:
    """Load the live model of an artifact. ``labels``: names of the classes, for a network that has no head yet."""
    if artifact.format == HF:
        from lighten.nets.encoders.network import open_network

        return open_network(artifact, labels=labels)
    if artifact.format in (ONNX, ONNX_INT8):
        from lighten.nets.runtimes.onnx_model import open_onnx

        return open_onnx(artifact)
    if artifact.format == HF_CAUSAL:
        from lighten.nets.language.network import open_language

        return open_language(artifact)
    if artifact.format == GGUF:
        from lighten.nets.gguf.network import open_gguf

        return open_gguf(artifact)
    raise ModelError(
        f"No step can open a model of format {artifact.format}.",
        allowed=", ".join((HF, ONNX, ONNX_INT8, HF_CAUSAL, GGUF)),
    )


def save_model(model: Any, format: str, folder: Path) -> Mapping[str, Any]:
    """Write a live model into an empty folder and return what belongs into its record beside format and lineage."""
    if format == HF:
        from lighten.nets.encoders.network import save_network

        save_network(model, folder)
    elif format in (ONNX, ONNX_INT8):
        from lighten.nets.runtimes.onnx_model import save_onnx

        save_onnx(model, folder)
    elif format in (OPENVINO, OPENVINO_INT8):
        from lighten.nets.runtimes.ov_model import save_ov

        save_ov(model, folder)
    elif format == HF_CAUSAL:
        from lighten.nets.language.network import save_language

        save_language(model, folder)
        return dict(model.record)
    elif format == GGUF:
        from lighten.nets.gguf.network import save_gguf

        save_gguf(model, folder)
        return dict(model.record)
    elif format == OPENVINO_CAUSAL:
        from lighten.nets.runtimes.ov_language import save_ov_language

        save_ov_language(model, folder)
        return dict(model.record)
    elif format in BASELINES:
        model.save(folder)
        return {"labels": []}
    else:
        raise ModelError(f"No function saves a model of format {format}.")
    return {"labels": list(model.labels), "max_tokens": model.encoder.max_tokens}
