"""OpenVINO on language models, in the layout of OpenVINO GenAI; lives in an environment of its own.

The exporter needs older libraries than lighten does. What runs the model is OpenVINO itself on the same graph: GenAI's
pipelines give no logits of a text, and at one stream they decode at the same rate.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed
from lighten.core.language import Span
from lighten.core.step import setting
from lighten.engines._ov_language import OvLanguageSession
from lighten.nets.language.network import open_language
from lighten.nets.runtimes.ov_language import PROBE, REQUIREMENTS, from_network, save_ov_language
from lighten.nets.runtimes.ov_model import import_ov


@dataclass(frozen=True)
class OvGenai(Engine):
    """OpenVINO with its CPU plug-in, keys and values kept inside."""

    title: ClassVar[tuple[str, str]] = ("OpenVINO for language models", "OpenVINO 语言模型引擎")
    consumes: ClassVar[tuple[str, ...]] = ("openvino-causal", "hf-causal")
    stores: ClassVar[tuple[str, ...]] = ("openvino-causal",)
    environment: ClassVar[tuple[str, ...]] = REQUIREMENTS

    context: int = setting(2048, "Tokens of a sequence at most.", unit="tokens", low=64, high=1 << 20)
    streams: int = setting(16, "Sequences decoded together at most.", low=1, high=256)
    batch: int = setting(
        512, "Tokens computed at a time.", unit="tokens", low=16, high=8192, saves={"memory": (256, 128)}
    )
    precision: str = setting("f32", "Of what is not compressed.", choices=("f32", "bf16", "f16"))
    cache: str = setting(
        "f16",
        "Number format of the key-value cache.",
        choices=("f32", "f16", "u8"),
        search=("f16", "u8"),
        saves={"memory": ("u8",)},
    )
    group: int = setting(
        128,
        "Activations before compressed weights are quantized in groups of this many; 0 computes them in float.",
        low=0,
        high=65536,
        search=(128, 32),
    )

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        return f"openvino {import_ov('the engine ov_genai').__version__}"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Export a float network, or copy what is in OpenVINO's format; open it and ask it once.

        Raises:
            BuildFailed: OpenVINO refuses the model, or it answers differently or with numbers that are not finite.
        """
        if artifact.format == "hf-causal":
            save_ov_language(from_network(open_language(artifact)), folder)
        else:
            for name in artifact.files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(artifact.path / name, folder / name)
        with OvLanguageSession(folder, self, threads=1) as session:
            assert isinstance(session, OvLanguageSession)
            ids = tuple(session.encode(PROBE))
            found = session.score([Span(ids[:1], ids[1:])])[0]
        if not np.isfinite(found.logprobs).all():
            raise BuildFailed("The model answers with numbers that are not finite in OpenVINO.")
        return "openvino-causal"

    def open(self, artifact: Artifact, *, threads: int) -> OvLanguageSession:
        """See :meth:`Engine.open`."""
        return OvLanguageSession(artifact.path, self, threads=threads)
