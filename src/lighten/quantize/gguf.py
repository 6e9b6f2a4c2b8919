"""Quantize a language model into GGUF, every tensor in the format where its bytes buy most."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting

if TYPE_CHECKING:
    from lighten.nets.gguf.network import GgufModel
    from lighten.nets.language.network import LanguageNetwork

LADDER = ("Q4_0", "IQ4_NL", "Q4_K", "Q5_0", "Q5_K", "Q6_K", "Q8_0")
"""Formats from small to large. Of two of one size the base is kept: Q4_0 is computed faster, IQ4_NL rounds better."""
CALIBRATION_TOKENS = 6_000
HEADS = ("token_embd.weight", "output.weight")
"""The embedding and, where it is another matrix, the output layer."""
SAMPLED_ROWS = 192
"""Rows of a matrix from which the loss of rounding it is estimated, about."""


@dataclass(frozen=True)
class GgufQuantization(Step):
    """One base format for all matrices, and some bytes more for those whose rounding costs the loss most.

    The importance of columns and the sensitivity of matrices are measured on ``tune``. Tensors that came from a GGUF
    file and did not change are copied when their format is no larger than the one chosen here.
    """

    title: ClassVar[tuple[str, str]] = (
        "quantized: matrices {format} or finer, embedding {head} or finer, {more:%} more bytes where they help most",
        "量化：矩阵至少 {format}，词嵌入至少 {head}，另有 {more:%} 的字节用在收益最大之处",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal",)
    produces: ClassVar[str] = "gguf"
    needs: ClassVar[frozenset[str]] = frozenset({"tune"})
    extra: ClassVar[str] = "llama"

    format: str = setting(
        "IQ4_NL", "Smallest format of a matrix.", choices=LADDER, search=("IQ4_NL", "Q4_0", "Q8_0", "Q4_K")
    )
    head: str = setting(
        "Q5_0", "Smallest format of the embedding, which is the output layer too where they are tied.", choices=LADDER
    )
    more: float = setting(
        0.1, "Bytes beyond that, spent where they lower the loss most.", unit="fraction", low=0.0, high=2.0
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses a network that a GGUF file has no place for: its rotary embedding, its tokenizer."""
        return str(facts.get("no_gguf") or "").rstrip(".")

    def run(self, model: LanguageNetwork, needs: Needs) -> GgufModel:
        """Measure, choose formats, quantize while the file is written.

        Raises:
            ModelError: a family that lighten cannot write as GGUF.
        """
        from lighten.nets.gguf.network import to_gguf_model
        from lighten.nets.language.sensitivity import as_importance

        if needs.tune is None:
            raise StepFailed("Quantizing needs texts to calibrate with.")
        texts = calibration_texts(needs)
        curvature = known_curvature(model, texts, needs)
        importance = as_importance(curvature)
        chosen = self._formats(model, curvature, importance)
        return to_gguf_model(model, lambda name, shape: chosen[name], importance)

    def _formats(
        self, model: LanguageNetwork, curvature: Mapping[str, Any], importance: Mapping[str, Any]
    ) -> dict[str, str]:
        """Format of every matrix: the base, then what saves most loss per byte, until the bytes are spent."""
        from lighten.nets.gguf.network import Source, bits, gguf_arrays
        from lighten.nets.gguf.weights import BLOCKS, floats, pack

        source = Source.of(model.source)
        losses: dict[str, list[tuple[int, float, str]]] = {}
        for name, value in gguf_arrays(model):
            if value.ndim < 2:
                continue
            base = self.head if name in HEADS else self.format
            rows = slice(None, None, max(len(value) // SAMPLED_ROWS, 1))  # rows are rounded each for itself
            sample = value[rows]
            found: list[tuple[int, float, str]] = []
            there = source.copy(name, value, "F32") if source else None
            for format in LADDER[LADDER.index(base) :]:
                if there and bits(there.format) <= bits(format):  # it will be copied: nothing is lost, nothing to gain
                    found.append((there.data.nbytes, 0.0, format))
                    break
                block, size = BLOCKS[format]
                if value.shape[-1] % block or (found and found[-1][0] >= value.size // block * size):
                    continue
                loss = 0.0
                if self.more > 0 and name in curvature:
                    rounded = floats(pack(sample, format, importance.get(name)))
                    loss = curvature[name].sampled(rows).loss(sample, rounded) * len(value) / len(sample)
                found.append((value.size // block * size, loss, format))
            if not found:
                raise StepFailed(f"{name} has {value.shape[-1]} columns, which fill no format from {base} on.")
            losses[name] = found
        return allocate(losses, self.more)

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """Bytes against half precision."""
        return {"Q8_0": 0.53, "Q6_K": 0.41, "Q5_K": 0.34, "Q5_0": 0.34}.get(self.format, 0.28)


_KNOWN: dict[str, Mapping[str, Any]] = {}
"""Curvature of the network that was measured last: the next format of the same network needs the same."""


def known_curvature(model: LanguageNetwork, texts: list[str], needs: Needs) -> Mapping[str, Any]:
    """Curvature of every matrix on some thousand tokens of ``texts``, measured once for a network."""
    from lighten.nets.language.sensitivity import measure_curvature

    digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass"))
    for tensor in model.net.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    key = digest.hexdigest()
    if key not in _KNOWN:
        _KNOWN.clear()
        _KNOWN[key] = measure_curvature(
            model, texts, tokens=CALIBRATION_TOKENS, longest=512, threads=needs.threads, watch=needs.watch
        )
    return _KNOWN[key]


def allocate(losses: Mapping[str, list[tuple[int, float, str]]], more: float) -> dict[str, str]:
    """A format for each tensor.

    Args:
        losses: by tensor, (bytes, loss, format) from small to large. more: bytes to spend beyond all the smallest, as a
            fraction of those.
    """
    at = dict.fromkeys(losses, 0)
    room = more * sum(options[0][0] for options in losses.values())
    queue: list[tuple[float, str, int]] = []

    def offer(name: str) -> None:
        here = losses[name][at[name]]
        gains = [
            (-(here[1] - there[1]) / (there[0] - here[0]), name, at[name] + step)
            for step, there in enumerate(losses[name][at[name] + 1 :], 1)
            if 0 < there[0] - here[0] <= room and there[1] < here[1]
        ]
        if gains:
            heapq.heappush(queue, min(gains))

    for name in losses:
        offer(name)
    while queue:
        _, name, to = heapq.heappop(queue)
        price = losses[name][to][0] - losses[name][at[name]][0]
        if price <= room:
            room -= price
            at[name] = to
        offer(name)  # what it may go to from here, or from where it stayed for less
    return {name: options[at[name]][2] for name, options in losses.items()}


def calibration_texts(needs: Needs) -> list[str]:
    """The texts of ``tune``, with what the task puts before each."""
    assert needs.tune is not None
    before = str(getattr(needs.task, "prefix", ""))
    return [before + text for text in needs.tune.texts]
