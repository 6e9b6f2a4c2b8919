"""Float network as an ONNX graph."""

from __future__ import annotations

from lighten.formats._graphs import OnnxGraph


class Onnx(OnnxGraph):
    """Weights and activations in float."""
