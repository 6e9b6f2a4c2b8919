"""A network in ONNX as a folder that ONNX Runtime, optimum and transformers.js open: shared by those who serve it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.plain import PlainReading
from lighten.nets.runtimes.onnx_model import FILE, WEIGHTS, read_onnx
from lighten.targets._script import Runtime

RUNTIME = Runtime(
    title="ONNX Runtime",
    library="onnxruntime",
    imports=("import os", "import onnxruntime"),
    setup=(
        "options = onnxruntime.SessionOptions()",
        'options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 0))  # 0: all cores',
        'session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), options, providers=["CPUExecutionProvider"])',
        "names = [one.name for one in session.get_inputs()]",
    ),
    logits="session.run(None, {name: arrays[name] for name in names})[0]",
)
FORMATS = ("onnx", "onnx-int8")
LOGITS = "logits"
"""What loaders call the output of a classifier."""
TYPES: Mapping[int, str] = {1: "FP32", 6: "INT32", 7: "INT64", 9: "BOOL", 10: "FP16", 11: "FP64"}
"""Number formats of ONNX, as servers call them."""


class Graph:
    """What a graph takes and gives.

    Attributes:
        inputs: by name, its number format and its axes from the second on; -1 for one of any length.
        external: whether its weights lie in a file of their own.
        output: name of the first.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.proto = read_onnx(artifact.path)
        weights = {tensor.name for tensor in self.proto.graph.initializer}
        self.inputs = {i.name: _shape(i) for i in self.proto.graph.input if i.name not in weights}
        self.output = str(self.proto.graph.output[0].name)
        self.external = (artifact.path / WEIGHTS).is_file()


def _shape(value: Any) -> tuple[str, tuple[int, ...]]:
    tensor = value.type.tensor_type
    sizes = [axis.dim_value if axis.HasField("dim_value") else -1 for axis in tensor.shape.dim]
    return TYPES.get(tensor.elem_type, "FP32"), tuple(sizes[1:])


def write_graph(artifact: Artifact, graph: Graph, folder: Path) -> None:
    """Put ``model.onnx`` into a folder as it lies; where its output is called otherwise, under the name that loaders
    look for, with nothing else changed."""
    if graph.output == LOGITS:
        for name in (FILE, *((WEIGHTS,) if graph.external else ())):
            shutil.copyfile(artifact.path / name, folder / name)
        return
    import onnx

    proto = graph.proto
    for node in proto.graph.node:
        node.input[:] = [LOGITS if name == graph.output else name for name in node.input]
        node.output[:] = [LOGITS if name == graph.output else name for name in node.output]
    proto.graph.output[0].name = LOGITS
    onnx.save_model(proto, str(folder / FILE), save_as_external_data=graph.external, location=WEIGHTS)


def copy(artifact: Artifact, folder: Path) -> Collection[str]:
    """Write the graph of an artifact; gives the names of its inputs."""
    graph = Graph(artifact)
    write_graph(artifact, graph, folder)
    return graph.inputs


def libraries(reading: PlainReading) -> tuple[str, ...]:
    """Distributions that ``run.py`` needs."""
    return ("numpy", RUNTIME.library, *reading.libraries)
