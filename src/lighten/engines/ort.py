"""ONNX Runtime on the CPU: float or int8 ONNX files, no conversion, starts in a moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from lighten.nets.runtimes.onnx_model import FILE, import_ort, open_onnx, save_onnx

SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""Rewrites of ONNX Runtime that cost time: its fused Add + LayerNormalization is not vectorized and is four times
slower than the two operators one after the other (1.31, AVX-512)."""


@dataclass(frozen=True)
class Ort(Engine):
    """ONNX Runtime with its CPU provider."""

    title: ClassVar[tuple[str, str]] = ("ONNX Runtime", "ONNX Runtime")
    consumes: ClassVar[tuple[str, ...]] = ("onnx", "onnx-int8")
    stores: ClassVar[tuple[str, ...]] = ("onnx", "onnx-int8")
    extra: ClassVar[str] = "ort"

    streams: int = streams_setting()
    together: int = setting(
        1,
        "Threads that work on one batch or one single answer, 0 for all: waking another thread costs a small model more"
        " than it brings.",
        low=0,
        high=256,
        search=(1, 0),
    )
    rows: int = rows_setting()
    tokens: int = tokens_setting()
    elements: int = elements_setting()
    spin: bool = setting(
        False,
        "Let idle threads wait busily: single answers may come sooner on a quiet machine, but cores are never idle.",
    )

    def version(self) -> str:
        """See :meth:`Engine.version`."""
        return f"onnxruntime {import_ort('the engine ort').__version__}"

    def apart(self) -> Ort:
        """See :meth:`Engine.apart`."""
        return replace(self, rows=1, tokens=1, elements=1)

    def build(self, artifact: Artifact, folder: Path) -> str:
        """Check the model, write it, load it once. The graph is optimized when it is opened, for that machine."""
        model = open_onnx(artifact)
        save_onnx(model, folder)
        try:
            batching = Batching(self.rows, self.tokens, self.elements)
            with OrtSession(self._session(folder / FILE, 1), model.reader, batching) as session:
                found = check_alone(session, model.reader.probe(), "ONNX Runtime")
        except LightenError:
            raise
        except Exception as error:  # ONNX Runtime raises a dozen classes that share nothing but this
            raise BuildFailed(f"ONNX Runtime refuses the model: {error}") from error
        if not np.isfinite(found).all():
            raise BuildFailed("The model answers with numbers that are not finite in ONNX Runtime.")
        return artifact.format

    def open(self, artifact: Artifact, *, threads: int) -> OrtSession:
        """See :meth:`Engine.open`."""
        session = self._session(artifact.path / FILE, min(self.together or threads, threads))
        streams = min(self.streams or threads, threads)
        batching = Batching(self.rows, self.tokens, self.elements, streams=streams)
        return OrtSession(session, reader_in(artifact.path), batching)

    def _session(self, path: Path, threads: int) -> Any:
        ort = import_ort("the engine ort")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if self.spin else "0")
        return ort.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW_FUSIONS
        )


class OrtSession(ArraySession):
    """One loaded model. Streams share it; each computes in its own thread, with others where ``together`` says so."""

    def __init__(self, session: Any, reader: Reader[Any], batching: Batching) -> None:
        self._session = session
        self._inputs = tuple(i.name for i in session.get_inputs())
        super().__init__(reader, batching)

    def forward(self, arrays: Arrays) -> Outputs:
        """See :meth:`ArraySession.forward`."""
        outputs: Outputs = self._session.run(None, feed(self._inputs, arrays))[0]
        return outputs

    def close(self) -> None:
        """See :meth:`Session.close`."""
        super().close()
        self._session = None
