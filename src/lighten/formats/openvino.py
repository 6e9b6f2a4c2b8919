"""Float network as an OpenVINO graph (IR)."""

from __future__ import annotations

from lighten.formats._graphs import OpenvinoGraph


class Openvino(OpenvinoGraph):
    """Weights and activations in float."""
