"""Weights in int8, activations quantized as they come: no calibration data, for ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.step import Needs, Step, setting
from lighten.nets.runtimes.onnx_model import OnnxModel, import_onnx, import_ort
from lighten.quantize._narrow import is_narrow, narrow_setting

if TYPE_CHECKING:
    from onnx import ModelProto

PREPARED = ("onnx.quant.pre_process", "onnxruntime.quant")
"""Metadata that tells onnxruntime's quantizer not to advise a preparation that this graph does not need."""


@dataclass(frozen=True)
class Int8Dynamic(Step):
    """onnxruntime's dynamic quantization of matrix products with constant weights."""

    title: ClassVar[tuple[str, str]] = (
        "8-bit integers, activations scaled while it runs",
        "INT8 量化，激活在运行时缩放",
    )
    consumes: ClassVar[tuple[str, ...]] = ("onnx",)
    produces: ClassVar[str] = "onnx-int8"
    extra: ClassVar[str] = "ort"

    per_channel: bool = setting(True, "A scale of its own for each output of a matrix, instead of one for the matrix.")
    embeddings: bool = setting(True, "Store the embedding matrices in int8 too: smaller, not faster.")
    narrow: str = narrow_setting()

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses networks of convolutions, which stay float."""
        return "its arithmetic is in convolutions, and those stay float" if facts.get("convolutions") else ""

    def run(self, model: OnnxModel, needs: Needs) -> OnnxModel:
        """Quantize. Weights: int8, symmetric. Activations: uint8, range of each tensor taken when it is computed.

        Raises:
            MissingExtra: onnxruntime is not installed.
        """
        operators = ["MatMul", "Gather"] if self.embeddings else ["MatMul"]
        return replace(model, proto=quantized(model.proto, operators, self.per_channel, narrow=is_narrow(self.narrow)))


def quantized(proto: ModelProto, operators: list[str], per_channel: bool, *, narrow: bool) -> ModelProto:
    """A copy of ``proto`` whose ``operators`` (types) with constant weights work on int8.

    Args:
        narrow: weights of seven bits.
    """
    onnx: Any = import_onnx("quantize.int8_dynamic")
    import_ort("quantize.int8_dynamic")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    copy = onnx.ModelProto.FromString(proto.SerializeToString())
    onnx.helper.set_model_props(copy, dict([PREPARED]))
    with tempfile.TemporaryDirectory(prefix="lighten-int8-") as folder:
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            copy,
            path,
            op_types_to_quantize=operators,
            per_channel=per_channel,
            reduce_range=narrow,
            weight_type=QuantType.QInt8,
        )
        made: ModelProto = onnx.load_model(str(path))
    del made.metadata_props[:]
    return made
