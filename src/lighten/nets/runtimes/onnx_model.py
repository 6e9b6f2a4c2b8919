"""ONNX models: open with every check that has to come before native code sees the file, and save."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, MissingExtra, ModelError, UnsafeFile
from lighten.core.reader import Reader
from lighten.core.readers import reader_in

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, TensorProto

Arrays = Mapping[str, NDArray[Any]]
"""Inputs of one batch by name, [batch, ...] each."""

FILE, WEIGHTS = "model.onnx", "model.onnx.data"
LARGEST = 1_800_000_000
"""Bytes above which weights go to a file of their own: protocol buffers end at 2 GiB."""
ZEROS = ("token_type_ids",)
"""Inputs that get zeros where the reader does not know them."""
DOMAINS = ("", "com.microsoft")
"""Operator sets that need no library of their own, beside those that start with ``ai.onnx``."""


@dataclass
class OnnxModel:
    """A network that answers each item with a row of numbers, as an ONNX graph.

    Attributes:
        proto: the graph with its weights; inputs are what ``reader`` makes, first output logits [batch, columns].
        reader: what turns items into its inputs.
        labels: name of each class.
        meta: what else the record of its artifact said.
    """

    proto: ModelProto
    reader: Reader[Any]
    labels: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)


def open_onnx(artifact: Artifact) -> OnnxModel:
    """Check and load the ONNX model of an artifact.

    Raises:
        ModelError: not an ONNX file, a graph that is invalid, or inputs that its reader does not make.
        UnsafeFile: weights outside the folder, a link, or operators that need a library of their own.
        MissingExtra: onnx is not installed.
    """
    proto, reader = read_onnx(artifact.path), reader_in(artifact.path)
    made = (*reader.axes(), *ZEROS)
    weights = {tensor.name for tensor in proto.graph.initializer}
    strange = [i.name for i in proto.graph.input if i.name not in made and i.name not in weights]
    if strange:
        raise ModelError(f"{artifact.path / FILE} asks for the inputs {', '.join(strange)}.", allowed=", ".join(made))
    return OnnxModel(proto, reader, tuple(artifact.meta.get("labels", ())), dict(artifact.meta))


def save_onnx(model: OnnxModel, folder: Path) -> None:
    """Write the graph and the reader into ``folder``."""
    onnx = import_onnx("saving an ONNX model")
    proto, external = model.proto, model.proto.ByteSize() > LARGEST
    if external:  # saving moves the weights out of what is saved
        proto = type(proto)()
        proto.CopyFrom(model.proto)
    onnx.save_model(proto, str(folder / FILE), save_as_external_data=external, location=WEIGHTS)
    model.reader.save(folder)


def read_onnx(folder: Path) -> ModelProto:
    """Load ``model.onnx`` of ``folder`` with its weights. Raises what :func:`open_onnx` raises."""
    onnx = import_onnx("opening an ONNX model")
    path = folder / FILE
    if path.is_symlink():
        raise UnsafeFile(f"{path} is a symbolic link.", allowed="plain files inside the folder")
    try:
        proto = onnx.load_model(str(path), load_external_data=False)
    except FileNotFoundError:
        raise ModelError(f"{folder} has no {FILE}.") from None
    except Exception as error:  # protocol buffers raise classes of their own
        raise ModelError(f"{path} is not an ONNX file that can be read ({error}).") from error
    if not proto.graph.node or not proto.graph.output:
        raise ModelError(f"{path} holds no ONNX graph.")
    check_operators(proto, path)
    for body in (proto.graph, *proto.functions):
        for tensor in tensors(body):
            check_location(tensor, folder)
    onnx.load_external_data_for_model(proto, str(folder))
    try:
        onnx.checker.check_model(proto if proto.ByteSize() < LARGEST else str(path))
    except onnx.checker.ValidationError as error:
        raise ModelError(f"{path} is not a valid ONNX model: {error}") from error
    return proto


def answering(proto: ModelProto, threads: int) -> Callable[[Arrays], NDArray[np.float32]]:
    """A function from the inputs of a batch to logits [batch, columns] as onnxruntime computes them.

    Raises:
        BuildFailed: onnxruntime refuses the graph; also raised by the function, for a batch that it cannot compute.
        MissingExtra: onnxruntime is not installed.
    """
    ort = import_ort("running an ONNX model")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    try:
        session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen classes that share nothing but this
        raise BuildFailed(f"ONNX Runtime refuses the graph: {error}") from error

    def ask(arrays: Arrays) -> NDArray[np.float32]:
        like = next(iter(arrays.values()))
        feed = {i.name: arrays.get(i.name, np.zeros_like(like)) for i in session.get_inputs()}
        try:
            found: NDArray[np.float32] = session.run(None, feed)[0]
        except Exception as error:
            size = " x ".join(map(str, like.shape))
            raise BuildFailed(f"ONNX Runtime cannot compute the graph for inputs of {size}: {error}") from error
        return found

    return ask


def answers(proto: ModelProto, arrays: Arrays, threads: int) -> NDArray[np.float32]:
    """Logits [batch, columns] of one batch; see :func:`answering`."""
    return answering(proto, threads)(arrays)


def check_operators(proto: ModelProto, path: Path) -> None:
    """Refuse operators that only a library of their own could run.

    Raises:
        UnsafeFile: there is one; names it.
    """
    own = {(function.domain, function.name) for function in proto.functions}
    bodies = [proto.graph.node, *(function.node for function in proto.functions)]
    for nodes in bodies:
        for node in walk(nodes):
            known = node.domain in DOMAINS or node.domain.split(".")[:2] == ["ai", "onnx"]
            if not known and (node.domain, node.op_type) not in own:
                raise UnsafeFile(
                    f"{path} uses the operator {node.op_type} of the operator set {node.domain!r}, which only a library"
                    " that comes with the model can run.",
                    allowed="the operator sets ai.onnx and com.microsoft",
                )


def check_location(tensor: TensorProto, folder: Path) -> None:
    """Refuse weights that are kept outside of the folder.

    Raises:
        UnsafeFile: an absolute path, a path with ``..``, a link.
        ModelError: the file is missing or shorter than the tensor.
    """
    where = {entry.key: entry.value for entry in tensor.external_data}
    if not where:
        return
    name = where.get("location", "")
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    rooted = PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor)
    fix = "keep all weights in the folder of the model"
    if not name or rooted or ".." in parts:
        raise UnsafeFile(f"The weights of {tensor.name} are kept in {name!r}, outside of {folder}.", fix=fix)
    path = folder / name
    steps = [folder.joinpath(*PurePosixPath(name).parts[:n]) for n in range(1, len(PurePosixPath(name).parts) + 1)]
    if any(step.is_symlink() for step in steps) or (path.is_file() and path.stat().st_nlink > 1):
        raise UnsafeFile(f"{path}, which holds the weights of {tensor.name}, is a link.", fix=fix)
    if not path.is_file():
        raise ModelError(f"{path}, which holds the weights of {tensor.name}, is missing.")
    try:
        offset, length = int(where.get("offset", 0)), int(where.get("length", 0))
    except ValueError as error:
        raise ModelError(f"The place of {tensor.name} in {path} cannot be read ({error}).") from error
    if offset < 0 or length < 0 or offset + length > path.stat().st_size:
        raise ModelError(f"{path} is too short for the weights of {tensor.name}.")


def attends(proto: ModelProto) -> bool:
    """Whether a graph has attention in it, as one operator or spelled out."""
    return any(node.op_type in ("Attention", "Softmax") for node in walk(proto.graph.node))


def walk(nodes: Any) -> Iterator[Any]:
    """Every node, those of subgraphs (branches, loops) included."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from walk(graph.node)


def tensors(body: GraphProto | FunctionProto) -> Iterator[TensorProto]:
    """Every weight and constant of a graph or function, those of subgraphs included."""
    yield from getattr(body, "initializer", ())
    for sparse in getattr(body, "sparse_initializer", ()):
        yield from (sparse.values, sparse.indices)
    for node in body.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from tensors(inner)


def import_onnx(what: str) -> Any:
    """The onnx package. Raises MissingExtra when it is not installed."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtra(what, "ort", str(error)) from error
    return onnx


def import_ort(what: str) -> Any:
    """The onnxruntime package, with telemetry off. Raises MissingExtra when it is not installed."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtra(what, "ort", str(error)) from error
    onnxruntime.disable_telemetry_events()
    return onnxruntime
