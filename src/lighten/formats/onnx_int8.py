"""ONNX graph with weights, or weights and activations, in 8-bit integers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format
from lighten.nets.encoders.longest import limited
from lighten.nets.record import record

if TYPE_CHECKING:
    from lighten.nets.runtimes.onnx_model import OnnxModel


class OnnxInt8(Format):
    """A graph beside the files of its reader; the live model is an ``OnnxModel``."""

    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    home: ClassVar[str] = "ort"
    noun: ClassVar[str] = "a classifier"
    packed: ClassVar[bool] = True
    cuts: ClassVar[bool] = True

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> OnnxModel:
        """See :meth:`Format.open`."""
        from lighten.nets.runtimes.onnx_model import open_onnx

        return open_onnx(artifact)

    def save(self, model: OnnxModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.runtimes.onnx_model import save_onnx

        save_onnx(model, folder)
        return record(model)

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """See :meth:`Format.shorten`."""
        return limited(artifact, longest)
