"""llama.cpp on the CPU: GGUF files in every format, from the wheel of xllamacpp or a build of one's own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lighten.core.artifact import GGUF, Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, MissingExtra
from lighten.core.language import Span
from lighten.core.step import setting
from lighten.engines._llama import LlamaSession, outputs_of
from lighten.nets.gguf_file import FILE, read_gguf
from lighten.nets.llama_api import BUILDS, library

PROCESS = 60_000_000
"""Bytes of Python and of the library itself."""


@dataclass(frozen=True)
class Llama(Engine):
    """llama.cpp, called in this process, without its server."""

    consumes: ClassVar[tuple[str, ...]] = (GGUF,)
    stores: ClassVar[tuple[str, ...]] = (GGUF,)
    extra: ClassVar[str] = "llama"

    library: str = setting(
        "xllamacpp",
        "Which build runs it: the wheel, whose kernels end at AVX2, or llama-cpp-python as compiled on this machine.",
        choices=tuple(BUILDS),
    )
    cells: int = setting(2048, "Tokens that all sequences together may hold.", unit="tokens", low=64, high=1 << 20)
    streams: int = setting(16, "Sequences decoded together at most.", low=1, high=255)
    batch: int = setting(512, "Tokens computed at a time.", unit="tokens", low=32, high=4096)
    flash: str = setting("auto", "Flash attention.", choices=("auto", "on", "off"), search=("auto", "off"))
    cache: str = setting(
        "f16", "Number format of the key-value cache.", choices=("f16", "q8_0"), search=("f16", "q8_0")
    )
    mapped: bool = setting(
        False, "Map the file instead of reading it: opens faster, but rearranged weights are then held twice."
    )
    repack: bool = setting(
        True, "Rearrange weights for faster matrix products while loading; needs their memory a second time."
    )

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        if self.library not in BUILDS:
            raise MissingExtra("the engine llama", self.extra, f"{self.library} is unknown")
        library(self.library)
        return f"{self.library} {version(self.library)}"

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
        return GGUF

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
            * outputs_of(facts["vocabulary"], min(self.batch, self.cells), self.streams)
            * facts["vocabulary"],
            "buffers": 4 * min(self.batch, self.cells) * (6 * wide + 4 * inner) + PROCESS,
        }

    def open(self, artifact: Artifact, *, threads: int) -> LlamaSession:
        """See :meth:`Engine.open`."""
        return LlamaSession(artifact.path / FILE, self, threads=threads)
