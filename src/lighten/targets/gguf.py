"""A GGUF file with the command lines of llama.cpp that run it as it was measured."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core.target import RUN, Source, Target, Way
from lighten.nets.gguf.file import FILE
from lighten.targets._hf import pinned

TEXT = '''"""Goes on with texts in llama.cpp alone: python run.py 'Once upon a time' ..., or one line each on stdin."""

import os
import sys
from pathlib import Path

import xllamacpp

HERE = Path(__file__).resolve().parent
params = xllamacpp.CommonParams()
params.model.path = str(HERE / "model.gguf")
params.n_ctx, params.n_parallel, params.warmup = {cells}, 1, False
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_{flash}
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_{cache}
params.cpuparams.n_threads = int(os.environ.get("OMP_NUM_THREADS", params.cpuparams.n_threads))
server = xllamacpp.Server(params)


def answer(text, most={most}):
    """What the model goes on with, the most likely token at each place."""
    asked = {{"prompt": text, "max_tokens": most, "temperature": 0.0, "cache_prompt": False}}
    return {{"answer": server.handle_completions(asked)["choices"][0]["text"]}}


if __name__ == "__main__":
    for text in sys.argv[1:] or (line.rstrip("\\n") for line in sys.stdin):
        print(answer(text)["answer"])
'''
MOST = 24
"""Tokens that the program goes on for."""


class Gguf(Target):
    """``model.gguf`` as it lies, and a program that asks it."""

    title: ClassVar[tuple[str, str]] = ("a GGUF file for llama.cpp", "供 llama.cpp 使用的 GGUF 文件")
    consumes: ClassVar[tuple[str, ...]] = ("gguf",)
    extra: ClassVar[str] = "llama"

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        shutil.copyfile(source.artifact.path / FILE, folder / FILE)
        engine = source.engine
        text = TEXT.format(
            cells=int(engine.get("cells", 2048)),
            flash={"on": "ENABLED", "off": "DISABLED"}.get(str(engine.get("flash")), "AUTO"),
            cache=str(engine.get("cache", "f16")).upper(),
            most=MOST,
        )
        (folder / RUN).write_text(text, encoding="utf-8")
        (folder / "requirements.txt").write_text(pinned(("xllamacpp",)), encoding="utf-8")

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        return (
            "A language model in one GGUF file, its tokenizer inside. The options below are those that it was measured "
            "with.",
            "单个 GGUF 文件中的语言模型，内含分词器。以下选项即测量时所用的选项。",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        engine = source.engine
        cache, flash = str(engine.get("cache", "f16")), str(engine.get("flash", "auto"))
        options = f"-m {FILE} -c {int(engine.get('cells', 2048))} -fa {flash} -ctk {cache} -ctv {cache}"
        serve = f"llama-server {options} -np {int(engine.get('streams', 16))} -kvu --port 8080"
        ask = (
            "curl -s http://127.0.0.1:8080/v1/completions -H 'content-type: application/json' \\\n"
            '  -d \'{"prompt": "Once upon a time", "max_tokens": 24, "temperature": 0}\''
        )
        prompt = str(source.artifact.meta.get("data", {}).get("prompt", "") or "Once upon a time")
        quoted = "'" + prompt.replace("'", "'\\''") + "'"
        return [
            Way(
                ("With llama.cpp's program", "用 llama.cpp 程序"),
                f"llama-completion {options} -n 24 --temp 0 -no-cnv -p {quoted}",
            ),
            Way(("With llama.cpp's server", "用 llama.cpp 服务器"), f"{serve}\n{ask}"),
            Way(
                ("From Python, without a server", "在 Python 中，不启动服务器"),
                f"pip install -r requirements.txt\npython {RUN} {quoted}",
            ),
        ]

    def writes(self, source: Source) -> bool:
        """See :meth:`Target.writes`."""
        return True
