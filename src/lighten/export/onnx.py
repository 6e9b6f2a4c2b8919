"""Write the network as an ONNX graph that any batch and length fits, checked against the network itself."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lighten.core.errors import BuildFailed, MissingExtra
from lighten.core.step import Needs, Step, setting
from lighten.data.buckets import pad
from lighten.isolate.quiet import quiet
from lighten.nets.encoders.first_token import answering_from_first_token
from lighten.nets.runtimes.onnx_model import OnnxModel, answering, import_onnx
from lighten.readers.text import Encoder

if TYPE_CHECKING:
    from onnx import ModelProto

    from lighten.nets.encoders.network import Network

TEXTS = (
    "It works.",
    "The first half was slow, but what followed made up for it, and the ending stayed with me for days.",
    "",
    "Don't buy: it broke after 2 weeks, nobody answered my e-mails, and the refund (if any) is still on its way!",
)
"""What the exported graph and the network both answer; of different length, so that padding is part of the check."""
SIZES = ((1, 3), (2, 17), (8, 40))
"""Rows and tokens of what both answer besides: one row and many, without padding, of other lengths than were traced."""
OLDEST = 20
"""The oldest operator set that is tried."""
TOLERANCE = 1e-3
"""Largest difference of a logit that passes, as a share of 1 + the largest logit: float32 rounding leaves 1e-5."""


@dataclass(frozen=True)
class Onnx(Step):
    """Float ONNX. In opset 23 attention is one operator, and runtimes have a kernel for it; older ones spell it out.
    The newest whose graph answers as the network does is taken: runtimes do not compute every new operator rightly yet.
    """

    consumes: ClassVar[tuple[str, ...]] = ("hf",)
    produces: ClassVar[str] = "onnx"
    lossy: ClassVar[bool] = False
    extra: ClassVar[str] = "ort"

    opset: int = setting(23, "Newest version of the ONNX operator set to try.", low=OLDEST, high=23)
    first_token: bool = setting(
        True, "Compute the last layer for the first token alone when the head reads nothing else (same answers)."
    )

    def run(self, model: Network, needs: Needs) -> OnnxModel:
        """Export, simplify and check.

        Raises:
            BuildFailed: the network cannot be traced, or the graph answers differently.
            MissingExtra: onnx, onnxscript or onnxruntime is not installed.
        """
        import torch

        net = model.net.eval()
        before = torch.get_num_threads()
        torch.set_num_threads(needs.threads)
        try:
            with answering_from_first_token(net) if self.first_token else contextlib.nullcontext():
                proto = self._newest(net, model.encoder, needs.threads)
        finally:
            torch.set_num_threads(before)
        return OnnxModel(proto, model.encoder, tuple(model.labels), dict(model.meta))

    def _newest(self, net: Any, encoder: Encoder, threads: int) -> ModelProto:
        """The graph of the newest operator set that answers as the network does; raises what the first one raised."""
        first: BuildFailed | None = None
        for opset in range(self.opset, OLDEST - 1, -1):
            try:
                proto = traced(net, opset)
                strip(proto)
                check(proto, net, encoder, threads)
            except BuildFailed as error:
                first = first or error
            else:
                return proto
        assert first is not None
        raise first


def traced(net: Any, opset: int) -> ModelProto:
    """The network as a graph: input_ids and attention_mask, int64 [batch, tokens] each; logits [batch, classes].

    Raises:
        BuildFailed: it cannot be traced. MissingExtra: onnx or onnxscript is not installed.
    """
    import torch

    onnx = import_onnx("export.onnx")
    ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [11, 10, 9, 8, 7, 6, 5]]) % int(net.config.vocab_size)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    with tempfile.TemporaryDirectory(prefix="lighten-export-") as folder, quiet() as said, torch.no_grad():
        path = Path(folder) / "traced.onnx"
        try:
            torch.onnx.export(
                net,
                (),
                str(path),
                kwargs=inputs,
                input_names=list(inputs),
                output_names=["logits"],
                dynamic_shapes=dict.fromkeys(inputs, sizes),
                opset_version=opset,
                dynamo=True,
                external_data=True,
                verbose=False,
            )
        except ModuleNotFoundError as error:
            raise MissingExtra("export.onnx", "ort", str(error)) from error
        except Exception as error:  # the exporter has no class of errors of its own that covers all its parts
            reason = str(error).strip().split("\n", 1)[0]
            raise BuildFailed(
                f"{type(net).__name__} cannot be exported to ONNX: {reason}\n{said.getvalue()}"
            ) from error
        proto: ModelProto = onnx.load_model(str(path))
    return proto


def strip(proto: ModelProto) -> None:
    """Take out what only the exporter needed, in place: shapes in between, and stack traces with paths of this machine.

    onnxruntime's quantizer refuses shapes that differ from those it infers itself.
    """
    graph = proto.graph
    graph.ClearField("value_info")
    for part in (proto, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    proto.producer_name, proto.producer_version = "lighten", ""


def check(proto: ModelProto, net: Any, encoder: Encoder, threads: int) -> float:
    """Largest difference of a logit between the graph and the network: on ``TEXTS``, together and one alone, and on
    ``SIZES``, as far as the network reads so many tokens.

    Raises:
        BuildFailed: it is above ``TOLERANCE``, or the graph cannot be computed.
        MissingExtra: onnxruntime is not installed.
    """
    import torch

    ids, mask = pad(encoder(TEXTS), encoder.pad_id)
    asked = [(ids, mask), (ids[:1, : mask[0].sum()], mask[:1, : mask[0].sum()])]
    words = np.random.default_rng(0)
    for rows, tokens in SIZES:
        shape = (rows, min(tokens, encoder.max_tokens))
        drawn = words.integers(0, min(encoder.vocabulary_size, net.config.vocab_size), shape)
        asked.append((drawn, np.ones(shape, np.int64)))
    ask, apart, largest = answering(proto, threads), 0.0, 0.0
    for ids, mask in asked:
        with torch.inference_mode():
            output = net(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
        wanted = output.logits.float().numpy()
        difference = float(np.abs(ask(ids, mask) - wanted).max())
        if not np.isfinite(difference):
            raise BuildFailed("The ONNX graph answers with numbers that are not finite.")
        apart, largest = max(apart, difference), max(largest, float(np.abs(wanted).max()))
    if apart > TOLERANCE * (1 + largest):
        raise BuildFailed(f"The ONNX graph answers differently: logits are up to {apart:.2g} apart.")
    return apart
