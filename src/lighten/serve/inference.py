"""The Open Inference Protocol, version 2, whatever carries it: names, metadata, states, and tensors in and out.

A model has one input, ``input``, BYTES: texts, or contents of files. Where files can be made of arrays, as pictures
can, it may be such an array, too, UINT8 or FP32, the inputs along its first axis. Of a classifier the outputs are
``label`` and ``scores``; of one that makes vectors ``embedding``; of others ``answer``, or what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from lighten.core import catalog
from lighten.core.prediction import Prediction
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.presence import Presence
from lighten.serve.refusals import no_such, unusable
from lighten.serve.servable import Servable
from lighten.serve.tensors import FLOATS, NUMBERS, STRINGS, Tensor

INPUT, LABEL, SCORES, ANSWER, VECTOR = "input", "label", "scores", "answer", "embedding"
READY, UNAVAILABLE = "READY", "UNAVAILABLE"


def server_metadata(extensions: Sequence[str]) -> dict[str, Any]:
    """Who answers.

    Args:
        extensions: that are spoken by what carries the protocol.
    """
    return {"name": "lighten", "version": version("lighten"), "extensions": list(extensions)}


def is_ready(model: ServedModel, models: Models) -> bool:
    """Whether a model answers, and requests are taken."""
    return model.ready and not models.draining


def metadata_of(model: ServedModel, models: Models) -> dict[str, Any]:
    """What a model takes and gives."""
    source = model.source
    return {
        "name": model.name,
        "versions": list(models.loaded(model.name)),
        "platform": f"lighten_{catalog.name_of(source.engine)}",
        "inputs": [{"name": INPUT, "datatype": STRINGS, "shape": [-1]}],
        "outputs": outputs_of(source),
        "parameters": {
            "labels": list(source.labels),
            "artifact": source.artifact.id,
            "batch_invariant": source.batch_invariant,
        },
    }


def outputs_of(source: Servable) -> list[dict[str, Any]]:
    """Output tensors of a model, with -1 for what a request or the model decides."""
    if source.task.embeds:
        return [{"name": VECTOR, "datatype": FLOATS, "shape": [-1, -1]}]
    if not source.labels:
        return [{"name": ANSWER, "datatype": STRINGS, "shape": [-1]}]
    scores = {"name": SCORES, "datatype": FLOATS, "shape": [-1, len(source.labels)]}
    return [{"name": LABEL, "datatype": STRINGS, "shape": [-1]}, scores]


def index_of(models: Models, *, ready: bool = False) -> list[dict[str, str]]:
    """Every version of every model, as Triton's repository index has it.

    Args:
        ready: leave out those that do not answer.
    """
    found = []
    for name in models.names:
        loaded = models.loaded(name)
        for one in models.versions(name):
            able = one in loaded and is_ready(loaded[one], models)
            state, failure = models.state_of(name, one)
            why = "" if able else models.state if models.draining else f"{state}: {failure}" if failure else str(state)
            found.append({"name": name, "version": one, "state": READY if able else UNAVAILABLE, "reason": why})
    return [record for record in found if not ready or record["state"] == READY]


async def infer(
    model: ServedModel, given: Tensor, wanted: Sequence[str], deadline: float, presence: Presence
) -> list[Tensor]:
    """Output tensors of a model, those that are wanted in their order; all where none is named.

    Args:
        deadline: seconds from now. presence: of the client.

    Raises:
        Refusal: why there are none. ClientGone: nobody waits for them.
    """
    values = values_of(given, model)
    check_outputs(wanted, model.source.labels)
    found = tensors_of(await model.predict(values, deadline, presence), model.source.labels)
    known = {tensor.name: tensor for tensor in found}
    other = next((name for name in wanted if name not in known), None)
    if other is not None:
        raise no_such("output", other, known)
    return [known[name] for name in wanted] if wanted else found


def values_of(given: Tensor, model: ServedModel) -> list[Any]:
    """What a model is asked: texts, bytes, or arrays.

    Raises:
        Refusal: the tensor is none that this model takes.
    """
    if given.name != INPUT:
        raise unusable(f"The model has no input {given.name!r:.80}.", allowed=INPUT)
    if given.datatype not in NUMBERS:
        return list(given.data)
    if not model.intake.arrays:
        raise unusable(f"The input's datatype is {given.datatype}.", allowed=STRINGS)
    return list(given.data.reshape(given.shape))  # type: ignore[union-attr]  # numbers are in an array


def tensors_of(predictions: Sequence[Prediction], labels: Sequence[str]) -> list[Tensor]:
    """Predictions as tensors, the rows in order.

    Args:
        labels: in the order of the columns of ``scores``.
    """
    count, first = len(predictions), predictions[0]
    if len(first.vector):
        vectors = np.asarray([one.vector for one in predictions], np.float32)
        return [Tensor(VECTOR, FLOATS, vectors.shape, vectors.ravel().tolist())]
    if first.measures:
        names = list(first.measures)
        return [Tensor(name, FLOATS, (count,), [one.measures[name] for one in predictions]) for name in names]
    if not first.scores:
        return [Tensor(ANSWER, STRINGS, (count,), [one.label for one in predictions])]
    scores = [one.scores[label] for one in predictions for label in labels]
    return [
        Tensor(LABEL, STRINGS, (count,), [one.label for one in predictions]),
        Tensor(SCORES, FLOATS, (count, len(labels)), scores),
    ]


def check_outputs(wanted: Iterable[str], labels: Sequence[str]) -> None:
    """Refuse outputs that a classifier has none of, before it is asked.

    Raises:
        Refusal: it wants one that there is none of.
    """
    other = next((name for name in wanted if name not in (LABEL, SCORES)), None)
    if labels and other is not None:
        raise no_such("output", other, (LABEL, SCORES))
