"""Tiny artifacts of every format, each made once per process: exporting takes seconds even for a tiny network."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.step import Needs, Step
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

LABELS = ("negative", "positive")
META = {"labels": list(LABELS), "max_tokens": 64}


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="lighten-tiny-")


def tiny_needs(rows: int = 40) -> Needs:
    """Toy train and tune rows, one thread."""
    return Needs(TextClassification(), train=toy_rows(rows), tune=toy_rows(rows, seed=1))


@cache
def tiny_artifact(format: str) -> Artifact:
    """A BERT of two layers, 64 wide, as ``hf``, ``onnx``, ``onnx-int8`` or ``openvino-int8`` (weights only)."""
    folder = Path(_folder().name) / format
    if format == "hf":
        tiny_network_folder(folder, layers=2, hidden=64, intermediate=128)
        return Artifact.seal(folder, format="hf", meta=META)
    from lighten.pipeline.formats import open_model, save_model

    step = _step(format)
    made = step.run(open_model(tiny_artifact(step.consumes[0]), LABELS), tiny_needs())
    folder.mkdir()
    save_model(made, format, folder)
    return Artifact.seal(folder, format=format, meta=META)


def _step(format: str) -> Step:
    from lighten.core import catalog

    made_by = {"onnx": "export.onnx", "onnx-int8": "quantize.int8_dynamic", "openvino-int8": "quantize.int8_weights"}
    step: Step = catalog.load_step(made_by[format])()
    return step
