"""OpenVINO on the CPU: the fastest int8 kernels on x86 with VNNI or AMX; takes longer to open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import BuildFailed, LightenError
from lighten.core.reader import Reader
from lighten.core.readers import reader_in
from lighten.core.step import setting
from lighten.engines._arrays import Arrays, ArraySession, Batching, Outputs, check_alone, feed
from lighten.engines._batch_settings import elements_setting, rows_setting, streams_setting, tokens_setting
from lighten.nets.runtimes.onnx_model import answers, open_onnx
from lighten.nets.runtimes.ov_model import OvModel, from_onnx, import_ov, open_ov, read_ov, save_ov

TOLERANCE = 1e-3
"""Largest difference of a logit to the ONNX graph's that passes in float, as a share of 1 + the largest logit."""


@dataclass(frozen=True)
class Ov(Engine):
    """OpenVINO with its CPU plug-in."""

    title: ClassVar[tuple[str, str]] = ("OpenVINO", "OpenVINO")
    consumes: ClassVar[tuple[str, ...]] = ("onnx", "openvino", "openvino-int8")
    stores: ClassVar[tuple[str, ...]] = ("openvino", "openvino-int8")
    extra: ClassVar[str] = "ov"

    streams: int = streams_setting()
    rows: int = rows_setting()
    tokens: int = tokens_setting()
    elements: int = elements_setting()
    bucket: int = setting(
        8,
        "Lengths are padded up to a multiple of this: OpenVINO compiles for each shape.",
        unit="tokens",
        low=1,
        high=512,
    )
    group: int = setting(
        128,
        "Activations of a layer whose weights alone are int8 are quantized in groups of this many, each with its scale;"
        " 0 computes such layers in float.",
        low=0,
        high=65536,
    )
    precision: str = setting("f32", "Of what is not int8.", choices=("f32", "bf16", "f16"))

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        return f"openvino {import_ov('the engine ov').__version__}"

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Convert ONNX to OpenVINO's own format, or check and copy what is in that format; load it and ask it.

        Raises:
            BuildFailed: OpenVINO refuses the model, or a converted float model answers differently.
        """
        wanted = None
        try:
            if artifact.format == "onnx":
                source = open_onnx(artifact)
                wanted = answers(source.proto, source.reader.batch(source.reader.probe()), threads=1)
                model = OvModel(from_onnx(source.proto), source.reader, source.labels)
            else:
                model = open_ov(artifact)
            save_ov(model, folder)
            with self._session(folder, model.reader, 1) as session:
                found = check_alone(session, model.reader.probe(), "OpenVINO")
        except LightenError:
            raise
        except Exception as error:  # OpenVINO raises bare RuntimeError
            raise BuildFailed(f"OpenVINO refuses the model: {error}") from error
        if not np.isfinite(found).all():
            raise BuildFailed("The model answers with numbers that are not finite in OpenVINO.")
        if wanted is not None and self.precision == "f32":
            apart = float(np.abs(found - wanted).max())
            if apart > TOLERANCE * (1 + float(np.abs(wanted).max())):
                raise BuildFailed(f"OpenVINO answers differently: logits are up to {apart:.2g} apart.")
        return "openvino" if artifact.format == "onnx" else artifact.format

    def open(self, artifact: Artifact, *, threads: int) -> OvSession:
        """See :meth:`Engine.open`."""
        return self._session(artifact.path, reader_in(artifact.path), threads)

    def _session(self, folder: Path, reader: Reader[Any], threads: int) -> OvSession:
        model = read_ov(folder)
        return OvSession(
            lambda streams: self._compiled(model, threads, streams),
            reader,
            Batching(self.rows, self.tokens, self.elements, self.bucket, min(self.streams or threads, threads)),
        )

    def _compiled(self, model: Any, threads: int, streams: int) -> Any:
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "PERFORMANCE_HINT": "THROUGHPUT" if streams > 1 else "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": self.group,
        }
        return import_ov("the engine ov").Core().compile_model(model, "CPU", settings)


class OvSession(ArraySession):
    """One row at a time on all threads; many rows in streams, compiled when they are first asked for.

    A model compiled for streams gives each a share of the threads, so that a single row would wait for one thread
    alone; one compiled for all threads keeps them waiting for each other between the operators of a batch.
    """

    def __init__(self, compiled: Callable[[int], Any], reader: Reader[Any], batching: Batching) -> None:
        self._compiled, self._requests = compiled, threading.local()
        self._models = {1: compiled(1)}
        self._inputs = tuple(i.any_name for i in self._models[1].inputs)
        super().__init__(reader, batching)

    def prepare(self) -> None:
        """See :meth:`ArraySession.prepare`."""
        streams = self.batching.streams
        if streams not in self._models:
            self._models[streams] = self._compiled(streams)

    def forward(self, arrays: Arrays) -> Outputs:
        """See :meth:`ArraySession.forward`."""
        streams = self.batching.streams if len(next(iter(arrays.values()))) > 1 else 1
        if streams not in self._models:
            streams = 1
        request = getattr(self._requests, f"of{streams}", None)
        if request is None:
            request = self._models[streams].create_infer_request()
            setattr(self._requests, f"of{streams}", request)
        request.infer(feed(self._inputs, arrays), share_inputs=True)
        outputs: Outputs = request.get_output_tensor(0).data.copy()
        return outputs

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self._models, self._requests = {}, threading.local()
