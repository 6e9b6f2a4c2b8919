"""OpenVINO models: intermediate representation (IR) on disk, opened with the checks that come before native code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from lighten.core.artifact import Artifact
from lighten.core.errors import BuildFailed, MissingExtra, ModelError, UnsafeFile
from lighten.core.reader import Reader
from lighten.core.readers import reader_in

if TYPE_CHECKING:
    from onnx import ModelProto

FILE, WEIGHTS = "model.xml", "model.bin"


@dataclass
class OvModel:
    """A network that answers each item with a row of numbers, as an OpenVINO graph.

    Attributes:
        model: an ``openvino.Model``; inputs are what ``reader`` makes, the first output is logits [batch, columns].
        reader: what turns items into its inputs.
        labels: name of each class.
        meta: what else the record of its artifact said.
    """

    model: Any
    reader: Reader[Any]
    labels: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)


def open_ov(artifact: Artifact) -> OvModel:
    """Check and load the OpenVINO model of an artifact.

    Raises:
        ModelError: not an OpenVINO model.
        UnsafeFile: it needs a library of its own.
        MissingExtra: openvino is not installed.
    """
    names = tuple(artifact.meta.get("labels", ()))
    return OvModel(read_ov(artifact.path), reader_in(artifact.path), names, dict(artifact.meta))


def save_ov(model: OvModel, folder: Path) -> None:
    """Write graph, weights and reader into ``folder``."""
    # Weights that are float32 stay float32: halving them is a change of the model, not a way to save it.
    import_ov("saving an OpenVINO model").save_model(model.model, str(folder / FILE), compress_to_fp16=False)
    model.reader.save(folder)


def read_ov(folder: Path, file: str = FILE, data: str = WEIGHTS) -> Any:
    """Load a graph of ``folder`` with its weights. Raises what :func:`open_ov` raises."""
    ov = import_ov("opening an OpenVINO model")
    path, weights = folder / file, folder / data
    for one in (path, weights):
        if one.is_symlink() or not one.is_file():
            raise ModelError(f"{one} is missing or a link.", allowed="plain files inside the folder")
    check_graph(path, weights.stat().st_size)
    try:
        return ov.Core().read_model(str(path), str(weights))
    except Exception as error:  # OpenVINO raises bare RuntimeError
        raise ModelError(f"{path} is not an OpenVINO model that can be read ({error}).") from error


def from_onnx(proto: ModelProto) -> Any:
    """An ONNX graph as an ``openvino.Model``.

    Raises:
        BuildFailed: OpenVINO cannot read it. MissingExtra: openvino is not installed.
    """
    ov = import_ov("converting to OpenVINO")
    try:
        return ov.Core().read_model(proto.SerializeToString())
    except Exception as error:  # OpenVINO raises bare RuntimeError
        raise BuildFailed(f"OpenVINO refuses the ONNX graph: {error}") from error


def check_graph(path: Path, size: int) -> None:
    """Every constant lies within the weights, and every operator belongs to OpenVINO's own sets.

    Args:
        size: of the weights in bytes.

    Raises:
        ModelError: not XML, entities, or a constant that does not fit.
        UnsafeFile: an operator of another library.
    """
    text = path.read_bytes()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise UnsafeFile(f"{path} declares entities.", allowed="plain XML as OpenVINO writes it")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ModelError(f"{path} is not XML that can be read ({error}).") from error
    for layer in root.iter("layer"):
        library = layer.get("version", "")
        if not (library.startswith("opset") or library in ("extension", "ie_internal_opset", "type_relaxed_opset")):
            kind = f"the operator {layer.get('type')} of {library!r}"
            raise UnsafeFile(f"{path} uses {kind}.", allowed="OpenVINO's own operator sets")
        data = layer.find("data")
        if layer.get("type") == "Const" and data is not None:
            try:
                offset, length = int(data.get("offset", "0")), int(data.get("size", "0"))
            except ValueError as error:
                raise ModelError(f"{path}: the place of {layer.get('name')} cannot be read ({error}).") from error
            if offset < 0 or length < 0 or offset + length > size:
                raise ModelError(f"{path}: the constant {layer.get('name')} lies outside of the weights.")


def import_ov(what: str) -> Any:
    """The openvino package, with telemetry off.

    Raises:
        MissingExtra: it is not installed.
    """
    # OpenVINO's converters and NNCF report usage through this package and work without it.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    os.environ.setdefault("OPENVINO_TELEMETRY", "0")
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise MissingExtra(what, "ov", str(error)) from error
    return openvino


def import_nncf(what: str) -> Any:
    """The nncf package, with telemetry off.

    Raises:
        MissingExtra: it, or openvino, is not installed.
    """
    import_ov(what)
    try:
        import nncf
    except ModuleNotFoundError as error:
        raise MissingExtra(what, "ov", str(error)) from error
    return nncf
