"""Weights and activations in int8, ranges fixed on your own tune rows beforehand, for ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.isolate.quiet import quiet
from lighten.nets.runtimes.onnx_model import OnnxModel, attends, import_onnx, import_ort
from lighten.quantize._narrow import is_narrow, narrow_setting
from lighten.quantize._sensitivity import Feed

if TYPE_CHECKING:
    from onnx import ModelProto

PRODUCTS = ("Conv", "Gemm", "MatMul")
"""Operators of a network with attention whose inputs are quantized: between them, rounding loses more than it gains."""
RANGES = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}
"""What ONNX Runtime calls the ways to find a range."""


@dataclass(frozen=True)
class Int8Qdq(Step):
    """onnxruntime's static quantization: pairs of operators that quantize and back, fused when the file is loaded."""

    title: ClassVar[tuple[str, str]] = (
        "8-bit integers for ONNX Runtime, activations scaled beforehand on your data",
        "INT8 量化（ONNX Runtime），激活用您的数据预先标定",
    )
    consumes: ClassVar[tuple[str, ...]] = ("onnx",)
    produces: ClassVar[str] = "onnx-int8"
    needs: ClassVar[frozenset[str]] = frozenset({"tune"})
    extra: ClassVar[str] = "ort"

    rows: int = setting(300, "Rows of tune to calibrate on.", unit="rows", low=1, high=100_000)
    ranges: str = setting(
        "minmax", "Range of each activation: all that was seen, or what cuts off outliers.", choices=tuple(RANGES)
    )
    per_channel: bool = setting(True, "A scale of its own for each output channel, instead of one for all.")
    narrow: str = narrow_setting()

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses networks for texts, which lose points by one range for all tokens."""
        return "texts lose too much by one range for all tokens; int8_dynamic has none" if "tokenizer" in facts else ""

    def run(self, model: OnnxModel, needs: Needs) -> OnnxModel:
        """Calibrate and quantize. Weights: int8, symmetric. Activations: uint8.

        Raises:
            StepFailed: there are no tune rows.
            MissingExtra: onnxruntime is not installed.
        """
        if needs.tune is None or not len(needs.tune):
            raise StepFailed("quantize.int8_qdq calibrates on the part tune, which has no rows.")
        reader = model.reader.for_learning()
        fed = [reader.batch([example]) for example in reader(needs.tune.inputs[: self.rows])]
        return replace(
            model,
            proto=quantized(model.proto, fed, self.ranges, per_channel=self.per_channel, narrow=is_narrow(self.narrow)),
        )


def quantized(proto: ModelProto, fed: Sequence[Feed], ranges: str, *, per_channel: bool, narrow: bool) -> ModelProto:
    """A graph like ``proto`` that computes with int8.

    Args:
        fed: what ranges are taken on, one row each. ranges: a key of ``RANGES``.
        narrow: weights of seven bits.
    """
    onnx: Any = import_onnx("quantize.int8_qdq")
    import_ort("quantize.int8_qdq")
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    attention = attends(proto)
    with tempfile.TemporaryDirectory(prefix="lighten-int8-") as folder, quiet():
        source, ready, made = (Path(folder) / name for name in ("float.onnx", "ready.onnx", "int8.onnx"))
        onnx.save_model(proto, str(source))
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        quantize_static(
            str(ready),
            str(made),
            _feeding(fed),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(PRODUCTS) if attention else None,
            extra_options={"OpTypesToExcludeOutputQuantization": list(PRODUCTS)} if attention else {},
            per_channel=per_channel,
            reduce_range=narrow,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[RANGES[ranges]],
        )
        found: ModelProto = onnx.load_model(str(made))
    del found.metadata_props[:]
    return found


def _feeding(fed: Sequence[Feed]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Feeding(CalibrationDataReader):  # type: ignore[misc]
        left = iter(fed)

        def get_next(self) -> Feed | None:
            return next(self.left, None)

    return Feeding()
