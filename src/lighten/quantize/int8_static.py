"""Weights and activations in int8, ranges fixed on your own tune rows beforehand: the fastest, for OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.item import Item
from lighten.core.step import Needs, Step, setting
from lighten.isolate.quiet import quiet
from lighten.nets.runtimes.onnx_model import OnnxModel, attends
from lighten.nets.runtimes.ov_model import OvModel, from_onnx, import_nncf
from lighten.quantize._narrow import is_narrow, narrow_setting
from lighten.quantize._sensitivity import Feed, sensitivity


@dataclass(frozen=True)
class Int8Static(Step):
    """NNCF post-training quantization with fast bias correction; with SmoothQuant where there is attention."""

    title: ClassVar[tuple[str, str]] = (
        "8-bit integers, activations scaled beforehand on your data",
        "INT8 量化，激活用您的数据预先标定",
    )
    consumes: ClassVar[tuple[str, ...]] = ("onnx",)
    produces: ClassVar[str] = "openvino-int8"
    needs: ClassVar[frozenset[str]] = frozenset({"tune"})
    extra: ClassVar[str] = "ov"

    rows: int = setting(300, "Rows of tune to calibrate on.", unit="rows", low=1, high=100_000)
    smooth: float = setting(
        0.95,
        "SmoothQuant: how much of the activations' outliers is moved into the weights; -1 moves nothing.",
        low=-1.0,
        high=1.0,
    )
    keep_float: int = setting(
        0, "How many matrix products stay in float: those whose own int8 error is largest on tune.", low=0, high=10_000
    )
    narrow: str = narrow_setting()

    def run(self, model: OnnxModel, needs: Needs) -> OvModel:
        """Calibrate and quantize.

        Raises:
            StepFailed: there are no tune rows.
            MissingExtra: openvino or nncf is not installed.
        """
        nncf = import_nncf("quantize.int8_static")
        if needs.tune is None or not len(needs.tune):
            raise StepFailed("quantize.int8_static calibrates on the part tune, which has no rows.")
        rows = calibration(model, needs.tune.inputs[: self.rows])
        ignored = None
        if self.keep_float:
            ranking = sensitivity(model.proto, rows, needs.threads)
            kept = [name for name, _ in ranking[: self.keep_float]]
            # A Gemm becomes a MatMul with a suffix and an Add when OpenVINO reads it.
            ignored = nncf.IgnoredScope(names=[*kept, *(f"{n}/WithoutBiases" for n in kept)], validate=False)
        # A zero point for activations, none for weights. What a transformer must keep in float, NNCF knows by itself.
        how: dict[str, Any] = {"preset": nncf.QuantizationPreset.MIXED}
        advanced = nncf.AdvancedQuantizationParameters()
        if is_narrow(self.narrow):
            advanced.overflow_fix = nncf.OverflowFix.ENABLE
        if attends(model.proto):
            advanced.smooth_quant_alphas = nncf.AdvancedSmoothQuantParameters(matmul=self.smooth)
            how = {"model_type": nncf.ModelType.TRANSFORMER}
        with quiet():
            made = nncf.quantize(
                from_onnx(model.proto),
                nncf.Dataset(rows),
                subset_size=len(rows),
                ignored_scope=ignored,
                advanced_parameters=advanced,
                **how,
            )
        return OvModel(made, model.reader, model.labels, model.meta)


def calibration(model: OnnxModel, items: Sequence[Item]) -> list[Feed]:
    """What the graph is fed with while ranges are taken: one row at a time, so that no padding is in them, read as for
    learning."""
    reader = model.reader.for_learning()
    return [reader.batch([example]) for example in reader(items)]
