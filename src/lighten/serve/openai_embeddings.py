"""Embeddings as OpenAI's protocol has them: texts in, vectors out, as numbers or as the bytes of them.

Source: https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lighten.core.prediction import Prediction
from lighten.serve.http import Request, Sent, long_json_reply
from lighten.serve.intake import type_name
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.openai_asked import Body, Unfit
from lighten.serve.refusals import no_such

FLOATS, BASE64 = "float", "base64"
"""How a vector may be written: numbers, or the bytes of little-endian float32, which clients ask for by default."""
PACKED = "<f4"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for embeddings.

    Attributes:
        model: as the client names it. texts: what is embedded. form: ``float`` or ``base64``.
        dimensions: numbers that each vector is to have; None for what the model gives.
    """

    model: str
    texts: tuple[str, ...]
    form: str
    dimensions: int | None


def wanted_in(value: Any, limits: Limits) -> Wanted:
    """What a body asks for.

    Raises:
        Unfit: a parameter that is missing, of another type, or not done.
    """
    body = Body(value)
    model = body.take("model")
    if not isinstance(model, str) or not model:
        raise Unfit("model", "No model is named.", allowed="the name of one", code="missing_parameter")
    form = body.take("encoding_format")
    form = FLOATS if form is None else form
    if form not in (FLOATS, BASE64):
        raise Unfit("encoding_format", f"encoding_format is {form!r:.60}.", allowed=f"{FLOATS} or {BASE64}")
    dimensions = body.whole("dimensions", 1, 1 << 20)
    body.take("user")  # it names whose request it is, and changes nothing of the answer
    texts = _texts(body.take("input"), limits)
    body.end()
    return Wanted(model, texts, form, dimensions)


def _texts(value: Any, limits: Limits) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    if not several or value is None:
        raise Unfit("input", "There is no input.", allowed="a text, or a list of texts", code="missing_parameter")
    if any(isinstance(one, (int, list)) and not isinstance(one, bool) for one in several):
        raise Unfit(
            "input",
            "The input holds numbers of tokens, and whose tokens they are nobody says.",
            allowed="a text, or a list of texts",
            fix="send the texts themselves: langchain does with check_embedding_ctx_length=False",
        )
    if len(several) > limits.inputs:
        raise Unfit("input", f"There are {len(several):,} inputs.", allowed=f"at most {limits.inputs:,} in one request")
    for place, one in enumerate(several):
        if not isinstance(one, str) or not one:
            seen = "empty" if one == "" else type_name(one)
            raise Unfit("input", f"Input {place} is {seen}.", allowed="a text that is not empty")
    return tuple(several)


def model_for(models: Models, told: str) -> ServedModel:
    """The model that a client names, open for a request.

    Raises:
        Refusal: there is none of this name, it gives no vectors, or no request is taken any more.
    """
    name, _, version = told.partition(":")
    if name not in models.names:
        refusal = no_such("model", told, names(models))
        found = Unfit("model", refusal.seen, allowed=refusal.allowed, fix=refusal.fix, code=refusal.code)
        found.status = 404
        raise found
    model = models.open_for(name, version)
    if not model.source.task.embeds:
        seen = f"The model {told!r} gives no embeddings: it was made to answer, not to be compared."
        raise Unfit(
            "model", seen, allowed=", ".join(names(models)), fix=f"ask it at /predict/{name}", code="unsupported"
        )
    return model


def names(models: Models) -> list[str]:
    """Names of all models that give vectors, and of their versions where there are several."""
    found: list[str] = []
    for name in models.names:
        versions = [version for version, model in models.loaded(name).items() if model.source.task.embeds]
        if models.traffic[name].serving in versions:
            found.append(name)
        if len(models.versions(name)) > 1:
            found += [f"{name}:{one}" for one in versions]
    return found


async def answered(models: Models, request: Request, limits: Limits) -> Sent:
    """The reply to a request for embeddings.

    Raises:
        Refusal: why there is none. ClientGone: nobody waits for it.
    """
    wanted = wanted_in(await request.json(), limits)
    model = model_for(models, wanted.model)
    _check_size(wanted, size_of(model))
    found = await model.predict(wanted.texts, limits.deadline, request.presence)
    _check_size(wanted, len(found[0].vector))
    return await long_json_reply(told(wanted, found), _values(wanted, found))


def size_of(model: ServedModel) -> int | None:
    """Numbers of a vector of a model; None where its record does not say it."""
    record = model.source.artifact.meta.get("embedding")
    size = record.get("size") if isinstance(record, dict) else None
    return size if isinstance(size, int) else None


def _check_size(wanted: Wanted, size: int | None) -> None:
    if wanted.dimensions not in (None, size) and size is not None:
        raise Unfit(
            "dimensions",
            f"dimensions is {wanted.dimensions:,}, and the vectors of {wanted.model!r} have {size:,} numbers.",
            allowed=f"{size:,}, or nothing: a part of such a vector was never judged",
        )


def told(wanted: Wanted, found: Sequence[Prediction]) -> dict[str, Any]:
    """The body of a reply."""

    def written(vector: Any) -> Any:
        packed = np.asarray(vector, dtype=PACKED)
        return base64.b64encode(packed.tobytes()).decode() if wanted.form == BASE64 else packed.tolist()

    tokens = sum(one.size for one in found)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": place, "embedding": written(one.vector)} for place, one in enumerate(found)
        ],
        "model": wanted.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _values(wanted: Wanted, found: Sequence[Prediction]) -> int:
    return len(found) * (len(found[0].vector) if wanted.form == FLOATS else 1)
