"""A network in OpenVINO's format as a folder that OpenVINO and optimum-intel open: shared by those who serve it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.plain import PlainReading
from lighten.core.target import Source
from lighten.nets.runtimes.ov_model import FILE as OWN_FILE
from lighten.nets.runtimes.ov_model import WEIGHTS as OWN_WEIGHTS
from lighten.nets.runtimes.ov_model import import_ov, read_ov
from lighten.targets._script import Runtime

FILE, WEIGHTS = "openvino_model.xml", "openvino_model.bin"
"""What optimum-intel looks for."""
LOGITS = "logits"
TYPES: Mapping[str, str] = {"i64": "INT64", "i32": "INT32", "f32": "FP32", "f16": "FP16", "boolean": "BOOL"}
"""Number formats of OpenVINO, as servers call them."""


class Graph:
    """What a graph takes. inputs: by name, its number format and its axes from the second on; -1 for any length."""

    def __init__(self, artifact: Artifact) -> None:
        self.model = read_ov(artifact.path)
        self.inputs = {one.any_name: _shape(one) for one in self.model.inputs}
        self.named = LOGITS in self.model.outputs[0].get_names()


def _shape(one: Any) -> tuple[str, tuple[int, ...]]:
    axes = list(one.get_partial_shape())[1:]
    kind = TYPES.get(one.get_element_type().get_type_name(), "FP32")
    return kind, tuple(axis.get_length() if axis.is_static else -1 for axis in axes)


def write_graph(artifact: Artifact, graph: Graph, folder: Path) -> None:
    """Put graph and weights into a folder as they lie; where the output has no name that loaders look for, with it."""
    if graph.named:
        for own, name in ((OWN_FILE, FILE), (OWN_WEIGHTS, WEIGHTS)):
            shutil.copyfile(artifact.path / own, folder / name)
        return
    output = graph.model.outputs[0]
    output.set_names({*output.get_names(), LOGITS})
    import_ov("writing an OpenVINO model").save_model(graph.model, str(folder / FILE), compress_to_fp16=False)


def copy(artifact: Artifact, folder: Path) -> Collection[str]:
    """Write the graph of an artifact; gives the names of its inputs."""
    graph = Graph(artifact)
    write_graph(artifact, graph, folder)
    return graph.inputs


def settings_of(source: Source) -> dict[str, Any]:
    """What OpenVINO must be told so that it computes as it did when the model was measured: by default it takes fewer
    bits than the graph has where the processor is faster with them."""
    engine = source.engine
    return {
        "INFERENCE_PRECISION_HINT": str(engine.get("precision", "f32")),
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": int(engine.get("group", 128)),
    }


def runtime(source: Source) -> Runtime:
    """How ``run.py`` opens it."""
    return Runtime(
        title="OpenVINO",
        library="openvino",
        imports=("import os", "import openvino"),
        setup=(
            f"SETTINGS = {settings_of(source)!r}",
            'SETTINGS["INFERENCE_NUM_THREADS"] = int(os.environ.get("OMP_NUM_THREADS", 0))  # 0: all cores',
            f'model = openvino.Core().compile_model(HERE / "{FILE}", "CPU", SETTINGS)',
            "names = [one.any_name for one in model.inputs]",
        ),
        logits="model({name: arrays[name] for name in names})[0]",
    )


def libraries(reading: PlainReading) -> tuple[str, ...]:
    """Distributions that ``run.py`` needs."""
    return ("numpy", "openvino", *reading.libraries)
