"""torch as it is: the network runs operator by operator, as in training; what the other engines are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lighten.core.artifact import HF, Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, MissingExtra
from lighten.core.step import setting
from lighten.engines._text import PROBE, Batching, Ids, Logits, TextSession

if TYPE_CHECKING:
    from lighten.nets.network import Network


@dataclass(frozen=True)
class Eager(Engine):
    """PyTorch eager mode on the CPU."""

    consumes: ClassVar[tuple[str, ...]] = (HF,)
    stores: ClassVar[tuple[str, ...]] = (HF,)
    extra: ClassVar[str] = "train"

    dtype: str = setting("float32", "Of weights and arithmetic.", choices=("float32", "bfloat16"))
    rows: int = setting(32, "Most rows in a batch.", unit="rows", low=1, high=4096)

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        try:
            import torch
        except ModuleNotFoundError as error:
            raise MissingExtra("the engine eager", "train", str(error)) from error
        return f"torch {torch.__version__}"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Check the network by loading it, write it, ask it."""
        from lighten.nets.network import open_network, save_network

        network = open_network(artifact, artifact.meta.get("labels"))
        save_network(network, folder)
        with self._session(network, threads=1) as session:
            if not np.isfinite(session.run(PROBE)).all():
                raise BuildFailed("The network answers with numbers that are not finite.")
        return HF

    def open(self, artifact: Artifact, *, threads: int) -> EagerSession:
        """See :meth:`Engine.open`."""
        from lighten.nets.network import open_network

        return self._session(open_network(artifact, artifact.meta.get("labels")), threads)

    def _session(self, network: Network, threads: int) -> EagerSession:
        import torch

        network.net.to(getattr(torch, self.dtype)).eval()
        return EagerSession(network, Batching(self.rows, tokens=self.rows * network.encoder.max_tokens), threads)


class EagerSession(TextSession):
    """A live network. One batch at a time, on all threads."""

    def __init__(self, network: Network, batching: Batching, threads: int) -> None:
        super().__init__(network.encoder, len(network.labels), batching)
        self._net, self._threads = network.net, threads

    def forward(self, ids: Ids, mask: Ids) -> Logits:
        """See :meth:`TextSession.forward`."""
        import torch

        from lighten.nets.precision import using_threads

        with using_threads(self._threads), torch.inference_mode():
            output = self._net(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
            logits: Logits = output.float().numpy()
        return logits

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self.__dict__.pop("_net", None)
