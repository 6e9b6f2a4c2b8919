"""Graphs of classifiers, in float or in integers, beside the files of their reader: what these formats share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.artifact import Artifact
from lighten.core.format import Format
from lighten.files.onnx_file import has_operator
from lighten.nets.encoders.longest import limited
from lighten.nets.record import record

if TYPE_CHECKING:
    from lighten.nets.runtimes.onnx_model import OnnxModel
    from lighten.nets.runtimes.ov_model import OvModel


FILE = "model.onnx"
SCALED_TOGETHER = ("DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM")
"""Operators of ONNX and of ONNX Runtime that take the range of a whole tensor while they run."""


class Graph(Format):
    """A graph that answers with a row of numbers, whatever its reader reads: the record says what it is for."""

    tasks: ClassVar[tuple[str, ...]] = ("text_classification", "image_classification", "text_embedding")
    noun: ClassVar[str] = "a classifier or an encoder"
    cuts: ClassVar[bool] = True

    def shorten(self, artifact: Artifact, longest: int) -> Artifact:
        """See :meth:`Format.shorten`."""
        return limited(artifact, longest)


class OnnxGraph(Graph):
    """An ONNX file; the live model is an ``OnnxModel``."""

    home: ClassVar[str] = "ort"

    def batch_invariant(self, path: Path) -> bool:
        """See :meth:`Format.batch_invariant`: not where activations have one scale for all rows of a batch."""
        return not has_operator(path / FILE, *SCALED_TOGETHER)

    def open(self, artifact: Artifact, labels: tuple[str, ...]) -> OnnxModel:
        """See :meth:`Format.open`."""
        from lighten.nets.runtimes.onnx_model import open_onnx

        return open_onnx(artifact)

    def save(self, model: OnnxModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.runtimes.onnx_model import save_onnx

        save_onnx(model, folder)
        return record(model)


class OpenvinoGraph(Graph):
    """OpenVINO IR, a graph and its weights; no step takes it."""

    home: ClassVar[str] = "ov"

    def save(self, model: OvModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        from lighten.nets.runtimes.ov_model import save_ov

        save_ov(model, folder)
        return record(model)
