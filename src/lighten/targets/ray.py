"""A Ray Serve application: the network, a program that asks it, and the deployment around that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core.readers import reader_in
from lighten.core.target import Source, Target, Way
from lighten.targets import _onnx_folder, _openvino_folder
from lighten.targets._hf import CONFIG, config_of, no_classes, pinned, write_json, write_reading
from lighten.targets._script import script

APP = '''"""A Ray Serve application: serve run app:app"""

import asyncio
import base64
import os
import runpy
from pathlib import Path

from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

HERE = str(Path(__file__).resolve().parent)  # on several machines the folder lies at the same place on each
MOST = 64  # values of one request


@serve.deployment(
    num_replicas=int(os.environ.get("REPLICAS", "1")),
    max_ongoing_requests=4,
    max_queued_requests=64,  # more are refused with 503
    ray_actor_options={"num_cpus": 1},
)
class Model:
    def __init__(self, folder):
        self.answer = runpy.run_path(str(Path(folder) / "run.py"))["answer"]

    def answers(self, values):
        return [self.answer(FROM_JSON) for data in values]

    async def __call__(self, request: Request):
        try:
            values = (await request.json())["inputs"]
        except (ValueError, KeyError, TypeError):
            values = None
        if not isinstance(values, list) or len(values) > MOST or not all(isinstance(one, str) for one in values):
            return JSONResponse({"error": f'expected {{"inputs": [...]}} with at most {MOST} texts'}, status_code=422)
        try:
            return {"outputs": await asyncio.to_thread(self.answers, values)}
        except Exception as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=422)


app = Model.bind(HERE)
'''


class Ray(Target):
    """``app.py`` beside a folder that stands alone: each replica opens it with nothing but the runtime."""

    title: ClassVar[tuple[str, str]] = ("a Ray Serve application", "Ray Serve 应用")
    consumes: ClassVar[tuple[str, ...]] = ("onnx", "onnx-int8", "openvino", "openvino-int8")

    def check(self, source: Source) -> str:
        """See :meth:`Target.check`."""
        return self.check_answers(source)

    def check_answers(self, source: Source) -> str:
        """See :meth:`Target.check_answers`."""
        return no_classes(source)

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        reading = reader_in(source.artifact.path).plain()
        if source.artifact.format in _onnx_folder.FORMATS:
            runtime, libraries = _onnx_folder.RUNTIME, _onnx_folder.libraries(reading)
            inputs = _onnx_folder.copy(source.artifact, folder)
        else:
            runtime, libraries = _openvino_folder.runtime(source), _openvino_folder.libraries(reading)
            inputs = _openvino_folder.copy(source.artifact, folder)
        write_json(folder / CONFIG, config_of(source, reading))
        write_reading(reading, folder, inputs)
        (folder / "run.py").write_text(script(reading, runtime), encoding="utf-8")
        (folder / "app.py").write_text(APP.replace("FROM_JSON", reading.from_json), encoding="utf-8")
        (folder / "requirements.txt").write_text(pinned((*libraries, "ray[serve]")), encoding="utf-8")

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        return (
            "A Ray Serve application. Each replica opens the network with its runtime alone; a request holds up to 64 "
            "inputs, 64 requests wait, and more are refused.",
            "Ray Serve 应用。每个副本只用推理引擎打开网络；一次请求最多 64 个输入，"
            "最多 64 个请求排队，超出的会被拒绝。",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        reading = reader_in(source.artifact.path).plain()
        value = f'"{reading.example}"' if reading.settings else f"\"'$(base64 -w0 {reading.example})'\""
        return [
            Way(
                ("Start it, with as many replicas as there are cores to spare", "启动（副本数按空闲核数）"),
                "pip install -r requirements.txt\nREPLICAS=2 serve run app:app",
            ),
            Way(
                ("Ask it", "请求"),
                f"curl -s http://127.0.0.1:8000/ -H 'content-type: application/json' -d '{{\"inputs\": [{value}]}}'",
            ),
        ]
