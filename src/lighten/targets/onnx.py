"""A folder in ONNX that optimum, sentence-transformers, transformers.js and ONNX Runtime open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core.matching import is_packed
from lighten.core.readers import reader_in
from lighten.core.target import RUN, Source, Target, Way
from lighten.nets.runtimes.onnx_model import FILE, WEIGHTS
from lighten.targets._hf import CONFIG, config_of, fills, loader_code, no_classes, pinned, write_json, write_reading
from lighten.targets._onnx_folder import RUNTIME, Graph, libraries, write_graph
from lighten.targets._script import script
from lighten.targets._vectors import config_of_vectors, size_of, vectors_of, ways_of_vectors, write_vectors

SUBFOLDER = "onnx"
"""Where transformers.js looks for a network."""
ABOUT_VECTORS = (
    "An encoder in ONNX with its tokenizer and `modules.json`, laid out as sentence-transformers has them. "
    "Its graph gives the pooled vectors (`sentence_embedding`) and those of the tokens (`last_hidden_state`).",
    "ONNX 格式的编码器，附分词器文件与 `modules.json`，按 sentence-transformers 的布局存放。"
    "计算图给出池化后的向量（`sentence_embedding`）与各词元的向量（`last_hidden_state`）。",
)


class Onnx(Target):
    """``config.json``, the reader's files and ``model.onnx`` as the hub has them, and a program of its own."""

    title: ClassVar[tuple[str, str]] = ("an ONNX folder", "ONNX 文件夹")
    consumes: ClassVar[tuple[str, ...]] = ("onnx", "onnx-int8")
    extra: ClassVar[str] = "ort"

    def check(self, source: Source) -> str:
        """See :meth:`Target.check`."""
        return "" if vectors_of(source) is not None else no_classes(source)

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        reading, graph = reader_in(source.artifact.path).plain(), Graph(source.artifact)
        packed = is_packed(source.artifact.format)
        js = {"dtype": "q8" if packed else "fp32", **({"use_external_data_format": True} if graph.external else {})}
        pooling = vectors_of(source)
        known = config_of(source, reading) if pooling is None else config_of_vectors(source, reading)
        write_json(folder / CONFIG, {**known, "transformers.js_config": js})
        write_reading(reading, folder, graph.inputs)
        if pooling is None:
            write_graph(source.artifact, graph, folder)
        else:
            write_vectors(source.artifact, graph, folder)
            pooling.save(folder, size_of(source))
        (folder / SUBFOLDER).mkdir()
        _same(folder / FILE, folder / SUBFOLDER / ("model_quantized.onnx" if packed else FILE))
        if graph.external:
            _same(folder / WEIGHTS, folder / SUBFOLDER / WEIGHTS)
        (folder / RUN).write_text(script(reading, RUNTIME, vectors=pooling is not None), encoding="utf-8")
        (folder / "requirements.txt").write_text(pinned(libraries(reading)), encoding="utf-8")

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        if vectors_of(source) is not None:
            return ABOUT_VECTORS
        return (
            "A network in ONNX with its classes and the files of its reader, laid out as the Hugging Face hub has "
            "them. `onnx/` holds the same network under the name that transformers.js looks for.",
            "ONNX 格式的网络，附类别与读取器文件，按 Hugging Face hub 的布局存放。"
            "`onnx/` 中是同一网络，文件名为 transformers.js 所要求的名称。",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        reading = reader_in(source.artifact.path).plain()
        if vectors_of(source) is not None:
            return ways_of_vectors(reading)
        value, job = reading.example, reading.pipeline
        first = (
            f"pip install -r requirements.txt\npython {RUN} {value!r}",
            "sh",
        )
        alone = Way(("With ONNX Runtime alone", "只用 ONNX Runtime"), *first)
        if fills(reading):
            return [alone]
        optimum = loader_code(reading, "optimum.onnxruntime", "ORTModel", f'file_name="{FILE}"')
        js = (
            'import path from "node:path";\n'
            'import { env, pipeline } from "@huggingface/transformers";\n\n'
            "[env.localModelPath, env.allowRemoteModels] = [path.dirname(process.cwd()), false];\n"
            f'const answer = await pipeline("{job}", path.basename(process.cwd()));\n'
            f"console.log(await answer({value!r}));"
        )
        found = [
            alone,
            Way(("With optimum", "用 optimum"), optimum, "python"),
        ]
        if reading.settings:
            crosses = (
                "from sentence_transformers import CrossEncoder\n\n"
                f'model = CrossEncoder(".", backend="onnx", model_kwargs={{"file_name": "{FILE}"}})\n'
                f"print(model.predict({value!r}, apply_softmax=True))  # one text at a time: lists are pairs"
            )
            found.append(Way(("With sentence-transformers", "用 sentence-transformers"), crosses, "python"))
        if reading.config.get("num_channels") != 1:
            found.append(Way(("With transformers.js", "用 transformers.js"), js, "js"))
        return found


def _same(file: Path, other: Path) -> None:
    """The same file under another name; a copy where the disk has no second names."""
    try:
        os.link(file, other)
    except OSError:
        shutil.copyfile(file, other)
