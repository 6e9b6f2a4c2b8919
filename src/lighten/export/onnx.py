"""Write the network as an ONNX graph that any batch and length fits, checked against the network itself."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lighten.core.errors import BuildFailed, MissingExtra
from lighten.core.reader import Reader
from lighten.core.step import Needs, Step, setting
from lighten.data.buckets import batches_by_size
from lighten.isolate.quiet import quiet
from lighten.nets.runtimes.onnx_model import Arrays, OnnxModel, answering, import_onnx

if TYPE_CHECKING:
    from onnx import ModelProto

    from lighten.nets.network import Network

TRACED = (2, 7)
"""Rows, and tokens where rows are padded, of the batch that is traced."""
SIZES = ((1, 3), (2, 17), (8, 40))
"""Rows and at most so many tokens of what graph and network both answer besides: one row and many, without padding."""
SUMMARY = "## Exception summary"
"""The line of the exporter's errors after which the reason stands."""
OPERATION = re.compile(r"\b(?:aten|prims|quantized|torchvision|torch_\w+)(?:\.|::)\w+")
"""An operation of torch in such an error."""
OLDEST = 20
"""The oldest operator set that is tried."""
HOPELESS = {"TorchExportError", "DispatchError"}
"""Errors that every operator set meets: the network cannot be captured, which comes before; or an operation has no
counterpart, and an older set knows no more. By their names, as torch has these classes where nobody may import."""
TOLERANCE = 1e-3
"""Largest difference of an output that passes, as a share of 1 + the largest one: float32 rounding leaves 1e-5."""


@dataclass(frozen=True)
class Onnx(Step):
    """Float ONNX. In opset 23 attention is one operator, and runtimes have a kernel for it; older ones spell it out.
    The newest whose graph answers as the network does is taken: runtimes do not compute every new operator rightly yet.
    """

    title: ClassVar[tuple[str, str]] = ("written as an ONNX file", "写成 ONNX 文件")
    consumes: ClassVar[tuple[str, ...]] = ("hf",)
    produces: ClassVar[str] = "onnx"
    lossy: ClassVar[bool] = False
    extra: ClassVar[str] = "ort"

    opset: int = setting(23, "Newest version of the ONNX operator set to try.", low=OLDEST, high=23)
    shortcut: bool = setting(
        True, "Leave out what the answers do not need, such as a last layer's tokens that no head reads (same answers)."
    )

    def run(self, model: Network, needs: Needs) -> OnnxModel:
        """Export, simplify and check.

        Raises:
            BuildFailed: the network cannot be traced, or the graph answers differently.
            MissingExtra: onnx, onnxscript or onnxruntime is not installed.
        """
        import torch

        model.net.eval()
        before = torch.get_num_threads()
        torch.set_num_threads(needs.threads)
        try:
            with model.shortcut() if self.shortcut else contextlib.nullcontext():
                proto = self._newest(model, needs.threads)
        finally:
            torch.set_num_threads(before)
        return OnnxModel(proto, model.reader, tuple(model.labels), dict(model.meta))

    def _newest(self, network: Network, threads: int) -> ModelProto:
        """The graph of the newest operator set that answers as the network does; raises what the first one raised."""
        first: BuildFailed | None = None
        for opset in range(self.opset, OLDEST - 1, -1):
            try:
                proto = traced(network, opset)
                strip(proto)
                check(proto, network, threads)
            except BuildFailed as error:
                first = first or error
                if hopeless(error):
                    break
            else:
                return proto
        assert first is not None
        raise first


def traced(network: Network, opset: int) -> ModelProto:
    """The network as a graph: the inputs that its reader makes, with their free axes; logits [batch, columns].

    Raises:
        BuildFailed: it cannot be traced. MissingExtra: onnx or onnxscript is not installed.
    """
    import torch

    onnx = import_onnx("export.onnx")
    net, reader = network.net, network.reader
    shown: Sequence[str] = getattr(net, "shown", ())
    inputs = {name: torch.from_numpy(array) for name, array in reader.batch(_rows(reader, *TRACED)).items()}
    axes = {axis: torch.export.Dim(axis) for named in reader.axes().values() for axis in named if axis}
    free = {name: {i: axes[axis] for i, axis in enumerate(reader.axes()[name]) if axis} for name in inputs}
    with tempfile.TemporaryDirectory(prefix="lighten-export-") as folder, quiet() as said, torch.no_grad():
        path = Path(folder) / "traced.onnx"
        try:
            torch.onnx.export(
                net,
                (),
                str(path),
                kwargs=inputs,
                input_names=list(inputs),
                output_names=["logits", *shown],
                dynamic_shapes=free,
                opset_version=opset,
                dynamo=True,
                external_data=True,
                verbose=False,
            )
        except ModuleNotFoundError as error:
            raise MissingExtra("export.onnx", "ort", str(error)) from error
        except Exception as error:  # the exporter has no class of errors of its own that covers all its parts
            name = type(getattr(net, "own", net)).__name__
            raise BuildFailed(f"{name} cannot be exported to ONNX: {reason_of(error)}\n{said.getvalue()}") from error
        proto: ModelProto = onnx.load_model(str(path))
    del proto.graph.output[len(proto.graph.output) - len(shown) :]  # what stays is called so inside, and costs nothing
    return proto


def hopeless(error: BaseException) -> bool:
    """Whether another operator set meets what this came from, too."""
    at: BaseException | None = error
    while at is not None and type(at).__name__ not in HOPELESS:
        at = at.__cause__
    return at is not None


def reason_of(error: BaseException) -> str:
    """Why a network cannot be exported, in one line, with the name of the operation where one is to blame."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    after = [number + 1 for number, line in enumerate(lines) if line.startswith(SUMMARY)]
    line = lines[after[0]] if after and after[0] < len(lines) else lines[0]
    reason = line.split(">: ", 1)[-1] if line.startswith("<class") else line
    named = next((match for one in (line, *lines) for match in OPERATION.findall(one)), "")
    return f"{reason} The operation is {named}." if named and named not in reason else reason


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


def check(proto: ModelProto, network: Network, threads: int) -> float:
    """Largest difference of an output between the graph and the network: on what the reader says that a build is asked,
    together and one alone, and on rows of ``SIZES``.

    Raises:
        BuildFailed: it is above ``TOLERANCE``, or the graph cannot be computed.
        MissingExtra: onnxruntime is not installed.
    """
    import torch

    reader, probes = network.reader, network.reader.probe()
    rows: list[Sequence[Any]] = [[probes[i] for i in batch] for batch in batches_by_size(reader, probes, len(probes))]
    rows += [probes[:1], *(_rows(reader, *size) for size in SIZES)]
    ask, apart, largest = answering(proto, threads), 0.0, 0.0
    for examples in rows:
        asked: Arrays = reader.batch(examples)
        with torch.inference_mode():
            wanted = network.outputs({name: torch.from_numpy(array) for name, array in asked.items()}).numpy()
        difference = float(np.abs(ask(asked) - wanted).max())
        if not np.isfinite(difference):
            raise BuildFailed("The ONNX graph answers with numbers that are not finite.")
        apart, largest = max(apart, difference), max(largest, float(np.abs(wanted).max()))
    if apart > TOLERANCE * (1 + largest):
        raise BuildFailed(f"The ONNX graph answers differently: logits are up to {apart:.2g} apart.")
    return apart


def _rows(reader: Reader[Any], count: int, size: int) -> Sequence[Any]:
    """So many examples that need no padding; of ``size``, or of the longest probe's, where the reader pads."""
    probes = reader.probe()
    if not reader.pads:
        alike = [probe for probe in probes if np.shape(probe) == np.shape(probes[0])]
        return [alike[i % len(alike)] for i in range(count)]
    whole = np.concatenate([np.asarray(probe) for probe in probes])
    length = min(size, max(map(reader.size, probes)))
    places = np.arange(length) + length * np.arange(count)[:, None]
    return list(np.take(whole, places, axis=0, mode="wrap"))
