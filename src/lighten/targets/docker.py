"""A folder that a container is built of: the model as it is, lighten, and every package at its version."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lighten.core import catalog
from lighten.core.artifact import RECORD
from lighten.core.errors import InputError
from lighten.core.readers import reader_in
from lighten.core.target import Source, Target, Way
from lighten.targets._pins import closure, write_wheel

PORT = 8000
MODEL = "model"
BESIDE = ("serve",)
"""Extras of what answers over the network."""
FILE = """FROM python:{python}-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --no-deps -r requirements.txt
COPY wheels ./wheels
RUN pip install --no-cache-dir --no-deps wheels/*.whl
COPY {model} ./{model}
RUN useradd --system --uid 10001 --create-home lighten
USER lighten
EXPOSE {port}
HEALTHCHECK --interval=10s --start-period=30s CMD ["python", "-c", "{health}"]
STOPSIGNAL SIGTERM
CMD ["lighten", "serve", "{name}={model}", "--host", "0.0.0.0", "--port", "{port}", "--keys", "/run/secrets/keys"]
"""
HEALTH = "import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/health/ready', timeout=3)"
BY_HAND = """python{python} -m venv prefix
prefix/bin/pip install --no-deps -r requirements.txt
prefix/bin/pip install --no-deps wheels/*.whl
prefix/bin/lighten serve --new-key me --keys keys.txt
prefix/bin/lighten serve {name}={model} --host 127.0.0.1 --port {port} --keys keys.txt"""
BUILD = """docker build -t {name} .
docker run --rm --user "$(id -u)" -e HOME=/tmp -v "$PWD:/keys" {name} lighten serve --new-key me --keys /keys/keys.txt
docker run --rm --user "$(id -u)" -e HOME=/tmp -p {port}:{port} \\
  -v "$PWD/keys.txt:/run/secrets/keys:ro" {name}"""
"""Only their own user may read the keys, so the container runs as who made them."""
TORCH_CPU = "https://download.pytorch.org/whl/cpu"
"""Where torch's builds for processors are. Those of the usual index need libraries that are not installed here."""
TORCH = re.compile(r"torch(?:vision|audio)? [^+]+\+cpu")
"""Such builds."""


class Docker(Target):
    """``Dockerfile``, ``requirements.txt``, a wheel of lighten and the artifact, which is served as it was proved."""

    title: ClassVar[tuple[str, str]] = ("a folder for docker build", "供 docker build 使用的文件夹")

    def check(self, source: Source) -> str:
        """See :meth:`Target.check`."""
        cls = catalog.load("engines", str(source.engine["use"]))
        if cls.environment:
            return f"its engine {source.engine['use']} lives in an environment of its own, which no one image holds"
        entry = next(one for one in catalog.entries("engines") if one.name == source.engine["use"])
        if entry.source != "lighten":
            return f"the package {entry.source}, which brings its engine, is not in the wheel"
        odd = [f"{name} {version}" for name, version in _pinned(source).items() if "+" in version]
        odd = [one for one in odd if not TORCH.fullmatch(one)]
        if not odd:
            return ""
        return (
            f"{odd[0]} is a build of its own, which no index is known to have (install one that an index has, or "
            "search with --engines ort or ov)"
        )

    def write(self, source: Source, folder: Path) -> None:
        """See :meth:`Target.write`."""
        artifact = source.artifact
        for name in (*artifact.files, RECORD):
            target = folder / MODEL / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(artifact.path / name, target)
        (folder / "wheels").mkdir()
        write_wheel(folder / "wheels")
        lines = [f"{name}=={version}" for name, version in _pinned(source).items()]
        first = [f"--extra-index-url {TORCH_CPU}"] if any(line.endswith("+cpu") for line in lines) else []
        (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in first + lines), encoding="utf-8")
        health = HEALTH.format(port=PORT)
        text = FILE.format(python=_python(), model=MODEL, port=PORT, health=health, name=source.name)
        (folder / "Dockerfile").write_text(text, encoding="utf-8")
        (folder / ".dockerignore").write_text("keys.txt\nprefix\nREADME.md\n", encoding="utf-8")

    def about(self, source: Source) -> tuple[str, str]:
        """See :meth:`Target.about`."""
        return (
            f"Everything that a container needs to serve the model with `lighten serve`: the artifact in `{MODEL}`, a "
            "wheel of lighten, and every package at the version that is installed where this was written. Requests "
            "need a key of `keys.txt`, which stays outside of the image. docker itself was not run when this "
            "folder was written: the artifact's files were compared with the model's by their hashes.",
            f"容器用 `lighten serve` 提供服务所需的一切：`{MODEL}` 中的模型、lighten 的 wheel，"
            "以及写出时所装版本的全部依赖。请求需要 `keys.txt` 中的密钥，该文件不进入镜像。"
            "写出此文件夹时并未运行 docker 本身：只按哈希值比较了模型文件。",
        )

    def ways(self, source: Source) -> Sequence[Way]:
        """See :meth:`Target.ways`."""
        name = source.name.replace("_", "-").lower()
        return [
            Way(("Build it and start it", "构建并启动"), BUILD.format(name=name, port=PORT)),
            Way(
                (
                    "The same by hand, without docker, in an empty folder `prefix`",
                    "不用 docker，在空文件夹 `prefix` 中手动执行",
                ),
                BY_HAND.format(python=_python(), model=MODEL, port=PORT, name=source.name),
            ),
        ]

    def asking(self, source: Source) -> str:
        """See :meth:`Target.asking`: lighten opens it."""
        return ""


def _pinned(source: Source) -> dict[str, str]:
    """Version of every distribution that serving the model needs, by name."""
    return closure([*_extras(source), *BESIDE])


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _extras(source: Source) -> list[str]:
    """Extras that the model needs: its engine's, its reader's, its format's."""
    found = [catalog.load("engines", str(source.engine["use"])).extra]
    if source.artifact.format in catalog.names("formats"):
        found.append(catalog.load("formats", source.artifact.format).extra)
    with contextlib.suppress(InputError):  # a tokenizer may lie in the model's own file
        found.append(type(reader_in(source.artifact.path)).extra)
    return [extra for extra in dict.fromkeys(found) if extra]
