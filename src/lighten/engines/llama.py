"""llama.cpp on the CPU: GGUF files in every format, from the wheel of xllamacpp or a build of one's own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, MissingExtra
from lighten.core.language import Span
from lighten.core.step import setting
from lighten.engines._llama import LlamaSession, outputs_of
from lighten.nets.gguf.file import FILE, read_gguf
from lighten.nets.runtimes.llama_api import AUTO, BUILDS, build_of, installed, library

PROCESS = 60_000_000
"""Bytes of Python and of the library itself."""


@dataclass(frozen=True)
class Llama(Engine):
    """llama.cpp, called in this process, without its server."""

    title: ClassVar[tuple[str, str]] = ("llama.cpp", "llama.cpp")
    consumes: ClassVar[tuple[str, ...]] = ("gguf",)
    stores: ClassVar[tuple[str, ...]] = ("gguf",)
    extra: ClassVar[str] = "llama"

    library: str = setting(
        AUTO,
        "Which build runs it: the wheel, whose kernels end at AVX2, or llama-cpp-python as compiled on this machine. "
        "Where both are installed, auto takes the one that is measured to decode faster.",
        choices=(AUTO, *BUILDS),
    )
    cells: int = setting(
        2048,
        "Tokens that all sequences together may hold.",
        unit="tokens",
        low=64,
        high=1 << 20,
        saves={"memory": (1024, 512)},
    )
    streams: int = setting(16, "Sequences decoded together at most.", low=1, high=255)
    batch: int = setting(
        128,
        "Tokens computed at a time; more need more memory and are no faster.",
        unit="tokens",
        low=32,
        high=4096,
        saves={"memory": (64, 32)},
    )
    flash: str = setting("auto", "Flash attention.", choices=("auto", "on", "off"), search=("auto", "off"))
    cache: str = setting(
        "f16",
        "Number format of the key-value cache.",
        choices=("f16", "q8_0"),
        search=("f16", "q8_0"),
        saves={"memory": ("q8_0",)},
    )
    ahead: int = setting(
        0,
        "Tokens guessed ahead for a single stream, from what followed the same words in its text before, and checked "
        "all at once. Greedy answers stay the same.",
        unit="tokens",
        low=0,
        high=16,
        search=(0, 3),
    )
    mapped: bool = setting(
        False, "Map the file instead of reading it: opens faster, but rearranged weights are then held twice."
    )
    repack: bool = setting(
        True,
        "Rearrange weights for faster matrix products while loading; needs their memory a second time.",
        saves={"memory": (False,), "load": (False,)},
    )

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        build = build_of(self.library)
        if build not in BUILDS:
            raise MissingExtra("the engine llama", self.extra, f"{build} is unknown")
        library(build)
        return f"{build} {version(build)}"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Copy the file, open it and ask it once."""
        source = artifact.path / FILE
        read_gguf(source)
        shutil.copyfile(source, folder / FILE)
        session = LlamaSession(folder / FILE, self, threads=1)
        with session:
            ids = session.encode("It works, whatever the manual says.")
            found = session.score([Span(tuple(ids[:1]), tuple(ids[1:]))])[0]
        if not np.isfinite(found.logprobs).all():
            raise BuildFailed("The model answers with numbers that are not finite in llama.cpp.")
        return "gguf"

    def memory(self, facts: Mapping[str, Any]) -> Mapping[str, int]:
        """See :meth:`Engine.memory`; on Gemma 270M as it ships, 0.41 GB where 0.44 GB were measured."""
        if not facts.get("language"):
            return {}
        number = {"f16": 2.0, "q8_0": 34 / 32}[self.cache]
        wide, inner = facts["hidden"], max(facts["intermediate"], facts["heads"] * facts["head_size"])
        return {
            "weights": facts["bytes"] * (2 if self.mapped and self.repack else 1),
            f"keys and values of {self.cells:,} tokens": round(facts["cache"] * self.cells * number),
            "logits": 8
            * outputs_of(facts["vocabulary"], min(self.batch, self.cells), max(self.streams, self.ahead))
            * facts["vocabulary"],
            "buffers": 4 * min(self.batch, self.cells) * (6 * wide + 4 * inner) + PROCESS,
        }

    def open(self, artifact: Artifact, *, threads: int) -> LlamaSession:
        """See :meth:`Engine.open`."""
        return LlamaSession(artifact.path / FILE, self, threads=threads)

    def ways(self) -> list[Engine]:
        """See :meth:`Engine.ways`: with every build that is installed."""
        same: list[Any] = super().ways()
        others = [build for build in installed() if build != build_of(self.library)]
        return [replace(way, library=build) for build in (self.library, *others) for way in same]

    def settle(self, artifact: Artifact, *, threads: int) -> Llama:
        """With the build that decodes this file faster, where several are installed; see :meth:`Engine.settle`."""
        builds = installed()
        if self.library != AUTO or len(builds) < 2:
            return self
        from lighten.engines._llama_builds import fastest

        every = [replace(self, library=build) for build in builds]
        found: Llama = fastest(artifact.path / FILE, every, threads=threads)
        return found
