"""Weights in int8, activations quantized token by token as they come: no calibration data, for OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.step import Needs, Step, setting
from lighten.isolate.quiet import quiet
from lighten.nets.runtimes.onnx_model import OnnxModel
from lighten.nets.runtimes.ov_model import OvModel, from_onnx, import_nncf


@dataclass(frozen=True)
class Int8Weights(Step):
    """NNCF weight compression. OpenVINO computes with int8 on both sides: it quantizes each token's activations itself,
    in groups with a scale of their own. Far more exact than one scale for all tokens, as static and per-tensor
    quantization have it, and somewhat slower."""

    title: ClassVar[tuple[str, str]] = ("weights in 8-bit integers", "权重量化为 INT8")
    consumes: ClassVar[tuple[str, ...]] = ("onnx",)
    produces: ClassVar[str] = "openvino-int8"
    extra: ClassVar[str] = "ov"

    symmetric: bool = setting(
        False, "Weights without a zero point: 3 % faster to multiply, and twice the rounding error of the weights."
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses networks of convolutions, whose activations stay float beside weights in int8."""
        return "its arithmetic is in convolutions, which need int8 on both sides" if facts.get("convolutions") else ""

    def run(self, model: OnnxModel, needs: Needs) -> OvModel:
        """Compress every matrix, embeddings included, with a scale for each output.

        Raises:
            MissingExtra: openvino or nncf is not installed.
        """
        nncf = import_nncf("quantize.int8_weights")
        mode = nncf.CompressWeightsMode.INT8_SYM if self.symmetric else nncf.CompressWeightsMode.INT8_ASYM
        with quiet():
            made = nncf.compress_weights(from_onnx(model.proto), mode=mode)
        return OvModel(made, model.reader, model.labels, model.meta)
