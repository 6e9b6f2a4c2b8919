"""ONNX graph with weights, or weights and activations, in 8-bit integers."""

from __future__ import annotations

from typing import ClassVar

from lighten.formats._graphs import OnnxGraph


class OnnxInt8(OnnxGraph):
    """Weights in 8-bit integers, activations in float or in integers, too."""

    packed: ClassVar[bool] = True
