"""A model repository for Triton: a reader in Python, the network in its own backend, and both together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core.matching import format_of
from lighten.core.plain import PlainReading
from lighten.core.readers import reader_in
from lighten.core.target import Source, Target, Way
from lighten.targets import _onnx_folder
from lighten.targets._hf import no_classes, pinned, write_reading
from lighten.targets._script import import_lines

MOST = 32
"""Rows of one request, where an answer does not depend on the rows beside it."""
REPOSITORY = "models"
Inputs = Mapping[str, tuple[str, tuple[int, ...]]]
"""Number format and axes from the second on, by name."""
READER = '''"""From {value} to the inputs of the network; needs {libraries}."""

{imports}

HERE = Path(__file__).resolve().parent
NAMES = {names!r}
FILL = {fill!r}
{setup}


{code}


def stacked(rows, name):
    """One input of all rows, padded to the longest; with all names of the network's inputs, and no more."""
    size = max(row[name].shape[-1] for row in rows)
    wide = [[(0, 0)] * (row[name].ndim - 1) + [(0, size - row[name].shape[-1])] for row in rows]
    return np.concatenate(
        [np.pad(row[name], pad, constant_values=FILL.get(name, 0)) for row, pad in zip(rows, wide)]
    )


class TritonPythonModel:
    def execute(self, requests):
        return [self.answered(request) for request in requests]

    def answered(self, request):
        try:
            values = pb_utils.get_input_tensor_by_name(request, "INPUT").as_numpy().reshape(-1)
            rows = [arrays_of({from_bytes}) for data in values]
            return pb_utils.InferenceResponse([pb_utils.Tensor(name, stacked(rows, name)) for name in NAMES])
        except Exception as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"{{type(error).__name__}}: {{error}}"))
'''
ASKING = """
import base64, json, runpy, sys, types
from pathlib import Path

import numpy as np

stub = types.ModuleType("triton_python_backend_utils")


class Tensor:
    def __init__(self, name, array):
        self.own, self.array = name, array

    def name(self):
        return self.own

    def as_numpy(self):
        return self.array


class InferenceResponse:
    def __init__(self, tensors=(), error=None):
        self.tensors, self.error = tensors, error


stub.Tensor, stub.InferenceResponse, stub.TritonError = Tensor, InferenceResponse, RuntimeError
stub.get_input_tensor_by_name = lambda request, name: request[name]
sys.modules["triton_python_backend_utils"] = stub
ROOT = Path("models")
reader = runpy.run_path(str(ROOT / {reader!r} / "1" / "model.py"))["TritonPythonModel"]()
LABELS = (ROOT / {network!r} / "labels.txt").read_text(encoding="utf-8").splitlines()
HERE = ROOT / {network!r} / "1"
{setup}


def answer(value):
    data = {to_bytes}
    given = {{"INPUT": Tensor("INPUT", np.array([[data]], object))}}
    response = reader.execute([given])[0]
    if response.error is not None:
        raise response.error
    arrays = {{tensor.name(): tensor.as_numpy() for tensor in response.tensors}}
    logits = {logits}[0].astype(np.float64)
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    return {{"label": LABELS[logits.argmax()], "scores": {{LABELS[i]: float(x) for i, x in enumerate(shares)}}}}
"""


class Triton(Target):
    """Three models: NAME takes bytes and gives logits, by way of NAME_reader and NAME_network."""

    title: ClassVar[tuple[str, str]] = ("a Triton model repository", "Triton 模型仓库")
    consumes: ClassVar[tuple[str, ...]] = ("onnx", "onnx-int8")

    def check(self, source: Source) -> str:
        """See :meth:`Target.check`."""
        return self.check_answers(source)

    def check_answers(self, source: Source) -> str:
        """See :meth:`Target.check_answers`."""
        odd = next((label for label in source.labels if "\n" in label or "\r" in label), None)
        return no_classes(source) or (
            f"its label {odd!r} has a line break, and labels.txt has one a line" if odd else ""
        )

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        reading, name = reader_in(source.artifact.path).plain(), source.name
        root = folder / REPOSITORY
        reader, network, whole = (root / f"{name}{end}" for end in ("_reader", "_network", ""))
        for place in (reader, network, whole):
            (place / "1").mkdir(parents=True)
        (whole / "1" / ".keep").write_text("", encoding="utf-8")  # a version without a file, which git and zip keep
        graph = _onnx_folder.Graph(source.artifact)
        _onnx_folder.write_graph(source.artifact, graph, network / "1")
        inputs, most = graph.inputs, _most(source)
        write_reading(reading, reader / "1", inputs)
        (reader / "1" / "model.py").write_text(_reader(reading, inputs), encoding="utf-8")
        for place in (network, whole):
            (place / "labels.txt").write_text("".join(f"{label}\n" for label in source.labels), encoding="utf-8")
        size = len(source.labels)
        (reader / "config.pbtxt").write_text(_reader_config(f"{name}_reader", inputs, most), encoding="utf-8")
        (network / "config.pbtxt").write_text(_network_config(f"{name}_network", inputs, size, most), encoding="utf-8")
        (whole / "config.pbtxt").write_text(_ensemble_config(name, inputs, size, most), encoding="utf-8")
        (folder / "requirements.txt").write_text(pinned(("numpy", *reading.libraries)), encoding="utf-8")

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        name = source.name
        alone = (
            " It takes one row at a time: the network scales its numbers by all rows of a batch, and a row would be "
            "answered otherwise beside others.",
            "每次只接收一行：网络按整批数据缩放数值，与其他行同批时答案会不同。",
        )
        more = alone if _most(source) == 1 else ("", "")
        asked = (
            " Triton itself was not run when this folder was written: model.py and the network's file were asked, "
            "joined as the ensemble joins them.",
            "写出此文件夹时并未运行 Triton 本身：所询问的是按 ensemble 的方式相连的 model.py 与网络文件。",
        )
        return (
            f"A Triton model repository. `{name}` takes bytes (a text in UTF-8, or the content of a file) and gives "
            f"logits; `{name}_reader` is Python and needs the packages of requirements.txt in Triton's container; "
            f"`{name}_network` is the network. With class_count in the request Triton answers with labels."
            f"{more[0]}{asked[0]}",
            f"Triton 模型仓库。`{name}` 接收字节（UTF-8 文本或文件内容），返回 logits；"
            f"`{name}_reader` 由 Python 编写，需要在 Triton 容器中安装 requirements.txt 的依赖；"
            f"`{name}_network` 是网络。请求中带 class_count 时返回标签。{more[1]}{asked[1]}",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        reading = reader_in(source.artifact.path).plain()
        image = "nvcr.io/nvidia/tritonserver:VERSION-py3"
        serve = (
            f'docker run --rm -p 8000:8000 -p 8001:8001 -v "$PWD:/export" {image} \\\n'
            f"  sh -c 'pip install -r /export/requirements.txt && tritonserver --model-repository /export/{REPOSITORY}'"
        )
        data = f"{reading.example!r}.encode()" if reading.settings else f'open("{reading.example}", "rb").read()'
        client = (
            "import numpy as np\n"
            "import tritonclient.http as triton\n\n"
            "client = triton.InferenceServerClient('127.0.0.1:8000')\n"
            "given = triton.InferInput('INPUT', [1, 1], 'BYTES')\n"
            f"given.set_data_from_numpy(np.array([[{data}]], dtype=object))\n"
            "wanted = triton.InferRequestedOutput('logits', class_count=1)\n"
            f"found = client.infer('{source.name}', [given], outputs=[wanted])\n"
            "print(found.as_numpy('logits'))  # score:number:label"
        )
        return [
            Way(
                ("Start it (VERSION: a release of Triton, such as 25.06)", "启动（VERSION 为 Triton 版本，如 25.06）"),
                serve,
            ),
            Way(("Ask it", "请求"), client, "python"),
        ]

    def asking(self, source: Source) -> str:
        """See :meth:`Target.asking`: the reader's model and the network's file, joined as the ensemble joins them."""
        reading, name = reader_in(source.artifact.path).plain(), source.name
        runtime = _onnx_folder.RUNTIME
        setup = "\n".join((*runtime.imports, *runtime.setup))
        to_bytes = "value.encode()" if reading.settings else "Path(value).read_bytes()"
        return ASKING.format(
            reader=f"{name}_reader",
            network=f"{name}_network",
            setup=setup,
            to_bytes=to_bytes,
            logits=runtime.logits,
        )


def _most(source: Source) -> int:
    """Rows that are computed at once: one of a network whose answers depend on the rows beside them."""
    return MOST if format_of(source.artifact).batch_invariant(source.artifact.path) else 1


def _reader(reading: PlainReading, inputs: Inputs) -> str:
    """``model.py`` of the reader."""
    utils = "import triton_python_backend_utils as pb_utils"
    return READER.format(
        value=reading.value[0],
        libraries=" and ".join(("numpy", *reading.libraries)),
        imports=import_lines(["from pathlib import Path"], [utils], reading.imports),
        names=list(inputs),
        fill=dict(reading.fill),
        setup="\n".join(reading.setup),
        code=reading.code.strip("\n"),
        from_bytes=reading.from_bytes,
    )


def _tensor(kind: str, name: str, axes: Sequence[int], more: str = "") -> str:
    dims = ", ".join(map(str, axes))
    return f"  {{ name: {json.dumps(name)} data_type: TYPE_{kind} dims: [ {dims} ]{more} }}"


def _tensors(inputs: Inputs) -> str:
    return ",\n".join(_tensor(kind, name, axes) for name, (kind, axes) in inputs.items())


def _reader_config(name: str, inputs: Inputs, most: int) -> str:
    return (
        f'name: "{name}"\nbackend: "python"\nmax_batch_size: {most}\n'
        f"input [\n{_tensor('STRING', 'INPUT', [1])}\n]\noutput [\n{_tensors(inputs)}\n]\n"
        "instance_group [ { count: 1 kind: KIND_CPU } ]\n"
    )


def _network_config(name: str, inputs: Inputs, size: int, most: int) -> str:
    together = "dynamic_batching { }\n" if most > 1 else ""
    return (
        f'name: "{name}"\nplatform: "onnxruntime_onnx"\nmax_batch_size: {most}\n'
        f"input [\n{_tensors(inputs)}\n]\noutput [\n{_logits(size)}\n]\n"
        f"{together}instance_group [ {{ count: 1 kind: KIND_CPU }} ]\n"
    )


def _logits(size: int) -> str:
    return _tensor("FP32", "logits", [size], ' label_filename: "labels.txt"')


def _ensemble_config(name: str, inputs: Inputs, size: int, most: int) -> str:
    made = "\n".join(f'      output_map {{ key: "{one}" value: "{one}" }}' for one in inputs)
    taken = "\n".join(f'      input_map {{ key: "{one}" value: "{one}" }}' for one in inputs)
    return (
        f'name: "{name}"\nplatform: "ensemble"\nmax_batch_size: {most}\n'
        f"input [\n{_tensor('STRING', 'INPUT', [1])}\n]\noutput [\n{_logits(size)}\n]\n"
        "ensemble_scheduling {\n  step [\n"
        f'    {{\n      model_name: "{name}_reader"\n      model_version: -1\n'
        f'      input_map {{ key: "INPUT" value: "INPUT" }}\n{made}\n    }},\n'
        f'    {{\n      model_name: "{name}_network"\n      model_version: -1\n'
        f'{taken}\n      output_map {{ key: "logits" value: "logits" }}\n    }}\n  ]\n}}\n'
    )
