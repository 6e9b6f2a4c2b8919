"""A network in ONNX that makes vectors, as a folder that sentence-transformers opens: shared by those who write it.

Its graph has two outputs: ``sentence_embedding``, the pooled vectors, and ``last_hidden_state``, those of the tokens,
of which loaders pool by ``modules.json`` themselves. The same numbers come of both.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.plain import PlainReading
from lighten.core.target import RUN, Source, Way
from lighten.nets.encoders.pooling import Pooling
from lighten.nets.record import EMBEDDING
from lighten.nets.runtimes.onnx_model import FILE, WEIGHTS
from lighten.targets._hf import config_of
from lighten.targets._onnx_folder import Graph

VECTORS, TOKENS = "sentence_embedding", "last_hidden_state"
"""What loaders call both outputs."""
LABELS_ONLY = ("id2label", "label2id", "problem_type")
LIMITS = "sentence_bert_config.json"


def vectors_of(source: Source) -> Pooling | None:
    """How the vectors of a model are made; None where its answers are none, or nobody says."""
    told = source.artifact.meta.get(EMBEDDING)
    if not source.task.embeds or not isinstance(told, dict):
        return None
    return Pooling(str(told["pooling"]), bool(told["normalized"]))


def size_of(source: Source) -> int:
    """Numbers of a vector."""
    return int(source.artifact.meta[EMBEDDING]["size"])


def as_encoder(reading: PlainReading) -> PlainReading:
    """The same reading, of a network without a head."""
    return replace(reading, head="Model", pipeline="feature-extraction")


def config_of_vectors(source: Source, reading: PlainReading) -> dict[str, Any]:
    """What ``config.json`` says of an encoder."""
    found = config_of(source, as_encoder(reading))
    return {"hidden_size": size_of(source), **{k: v for k, v in found.items() if k not in LABELS_ONLY}}


def write_vectors(artifact: Artifact, graph: Graph, folder: Path) -> None:
    """Put ``model.onnx`` into a folder, its outputs under the names that loaders look for; nothing else is changed.

    Raises:
        ModelError: the graph does not show the vectors of its tokens.
    """
    import onnx

    proto = graph.proto
    if not any(TOKENS in node.output for node in proto.graph.node):
        raise ModelError(f"The graph of {artifact.path} has no {TOKENS}, which loaders pool.")
    for node in proto.graph.node:
        node.input[:] = [VECTORS if name == graph.output else name for name in node.input]
        node.output[:] = [VECTORS if name == graph.output else name for name in node.output]
    proto.graph.output[0].name = VECTORS
    size = int(artifact.meta[EMBEDDING]["size"])
    shown = onnx.helper.make_tensor_value_info(TOKENS, onnx.TensorProto.FLOAT, ["batch", "tokens", size])
    proto.graph.output.append(shown)
    onnx.save_model(proto, str(folder / FILE), save_as_external_data=graph.external, location=WEIGHTS)


def ways_of_vectors(reading: PlainReading) -> list[Way]:
    """How such a folder is opened."""
    value = reading.example
    run = f"pip install -r requirements.txt\npython {RUN} {value!r}"
    loader = (
        "from sentence_transformers import SentenceTransformer\n\n"
        f'model = SentenceTransformer(".", backend="onnx", model_kwargs={{"file_name": "{FILE}"}})\n'
        f"print(model.encode([{value!r}]))"
    )
    return [
        Way(("With ONNX Runtime alone", "只用 ONNX Runtime"), run),
        Way(("With sentence-transformers", "用 sentence-transformers"), loader, "python"),
    ]
