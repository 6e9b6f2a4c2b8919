"""torch as it is: the network runs operator by operator, as in training; what the other engines are compared with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, MissingExtra
from lighten.core.language import LanguageSession, Span
from lighten.core.matching import format_of
from lighten.core.session import Session
from lighten.core.step import setting
from lighten.engines._arrays import Arrays, ArraySession, Batching, Outputs

if TYPE_CHECKING:
    from lighten.nets.network import Network

CACHED = 2048
"""Tokens whose keys and values are reckoned with."""
PROCESS = 500_000_000
"""Bytes of Python, torch and transformers, and of what is computed with."""


@dataclass(frozen=True)
class Eager(Engine):
    """PyTorch eager mode on the CPU."""

    title: ClassVar[tuple[str, str]] = ("PyTorch, one operator after another", "PyTorch 逐算子执行")
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    stores: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    extra: ClassVar[str] = "train"

    dtype: str = setting("float32", "Of weights and arithmetic.", choices=("float32", "bfloat16"))
    rows: int = setting(32, "Most rows in a batch.", unit="rows", low=1, high=4096, saves={"memory": (8, 1)})
    tokens: int = setting(
        16_384,
        "Most tokens in a batch, padding included.",
        unit="tokens",
        low=1,
        high=1_000_000,
        saves={"memory": (2048, 512)},
    )

    elements: int = setting(
        1_000_000,
        "Most numbers in a batch of what is not padded, such as pictures.",
        unit="numbers",
        low=1,
        high=100_000_000,
    )

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        try:
            import torch
        except ModuleNotFoundError as error:
            raise MissingExtra("the engine eager", "train", str(error)) from error
        return f"torch {torch.__version__}"

    def memory(self, facts: Mapping[str, Any]) -> Mapping[str, int]:
        """See :meth:`Engine.memory`; of language models only: encoders are small beside their libraries."""
        if not facts.get("language"):
            return {}
        number = {"float32": 4, "bfloat16": 2}[self.dtype]
        return {
            "weights": number * facts["parameters"],
            f"keys and values of {CACHED:,} tokens": number * facts["cache"] * CACHED,
            "libraries and buffers": PROCESS,
        }

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Check the network by loading it, write it, ask it."""
        if artifact.format == "hf-causal":
            return self._build_language(artifact, folder)
        network = self._network(artifact)
        format_of(artifact).save(network, folder)
        with self._session(network, threads=1) as session:
            if not np.isfinite(session.answer(network.reader.probe())).all():
                raise BuildFailed("The network answers with numbers that are not finite.")
        return artifact.format

    def _network(self, artifact: Artifact) -> Network:
        opened: Network = format_of(artifact).open(artifact, tuple(artifact.meta.get("labels") or ()))
        return opened

    def _build_language(self, artifact: Artifact, folder: Path) -> str:
        for name in artifact.files:
            shutil.copyfile(artifact.path / name, folder / name)
        with self._language(artifact, 1) as session:
            assert isinstance(session, LanguageSession)
            ids = tuple(session.encode("It works, whatever the manual says."))
            found = session.score([Span(ids[:1], ids[1:])])[0]
        if not np.isfinite(found.logprobs).all():
            raise BuildFailed("The network answers with numbers that are not finite.")
        return "hf-causal"

    def _language(self, artifact: Artifact, threads: int) -> Session:
        import torch

        from lighten.engines._eager_language import EagerLanguageSession
        from lighten.nets.language.network import open_language

        network = open_language(artifact)
        network.net.to(getattr(torch, self.dtype)).eval()
        return EagerLanguageSession(network, rows=self.rows, threads=threads)

    def open(self, artifact: Artifact, *, threads: int) -> Session:
        """See :meth:`Engine.open`."""
        if artifact.format == "hf-causal":
            return self._language(artifact, threads)
        return self._session(self._network(artifact), threads)

    def _session(self, network: Network, threads: int) -> EagerSession:
        import torch

        network.net.to(getattr(torch, self.dtype)).eval()
        return EagerSession(network, Batching(self.rows, self.tokens, self.elements), threads)


class EagerSession(ArraySession):
    """A live network. One batch at a time, on all threads."""

    def __init__(self, network: Network, batching: Batching, threads: int) -> None:
        self._network, self._threads = network, threads
        self._dtype = next(network.net.parameters()).dtype
        super().__init__(network.reader, batching, network.columns)

    def forward(self, arrays: Arrays) -> Outputs:
        """See :meth:`ArraySession.forward`."""
        import torch

        from lighten.nets.training.precision import using_threads

        with using_threads(self._threads), torch.inference_mode():
            found = {name: torch.from_numpy(array) for name, array in arrays.items()}
            given = {name: one.to(self._dtype) if one.is_floating_point() else one for name, one in found.items()}
            outputs: Outputs = self._network.outputs(given).numpy()
        return outputs

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self.__dict__.pop("_network", None)
