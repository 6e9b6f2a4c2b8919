"""Weights of a language model in half precision, int8 or int4, for OpenVINO; no calibration data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from lighten.core.step import Needs, Step, setting
from lighten.nets.runtimes.ov_language import REQUIREMENTS, compress, from_network

if TYPE_CHECKING:
    from lighten.nets.language.network import LanguageNetwork
    from lighten.nets.runtimes.ov_language import OvLanguage

BITS = {"fp16": 16.0, "int8": 8.0, "int4": 4.5}


@dataclass(frozen=True)
class OpenvinoLanguage(Step):
    """Export, then NNCF weight compression with zero points; activations are quantized as they come when it runs."""

    title: ClassVar[tuple[str, str]] = (
        "exported to OpenVINO, weights in {weights}",
        "导出为 OpenVINO，权重格式为 {weights}",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal",)
    produces: ClassVar[str] = "openvino-causal"
    environment: ClassVar[tuple[str, ...]] = REQUIREMENTS

    weights: str = setting("int8", "Number format of the matrices.", choices=tuple(BITS), search=("int8", "int4"))
    group: int = setting(
        64, "Weights that share a scale in int4; embedding and head are int8 then.", unit="weights", low=16, high=1024
    )

    def run(self, model: LanguageNetwork, needs: Needs) -> OvLanguage:
        """Export, check, compress.

        Raises:
            MissingEnvironment: the exporter is not installed where this runs.
            BuildFailed: it refuses the network, or the graph answers differently.
        """
        made = from_network(model)
        return replace(made, half=True) if self.weights == "fp16" else compress(made, self.weights, self.group)
