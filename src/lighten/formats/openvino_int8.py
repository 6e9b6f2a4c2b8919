"""OpenVINO graph (IR) with weights, or weights and activations, in 8-bit integers."""

from __future__ import annotations

from typing import ClassVar

from lighten.formats._graphs import OpenvinoGraph


class OpenvinoInt8(OpenvinoGraph):
    """Weights in 8-bit integers, activations in float or in integers, too."""

    packed: ClassVar[bool] = True
