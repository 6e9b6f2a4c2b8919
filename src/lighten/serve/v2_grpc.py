"""The Open Inference Protocol, version 2, over gRPC: what KServe, Triton and their clients speak.

What it says stands in ``inference.py``. Tensors come typed (``contents``) or as bytes (``raw_input_contents``), and go
as they came. Extension: the model repository (see ``versions.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lighten.serve import versions
from lighten.serve.aside import aside
from lighten.serve.grpc_messages import CHOICE, message
from lighten.serve.grpc_server import Call, Procedure
from lighten.serve.grpc_wire import SHORT
from lighten.serve.http import MANY
from lighten.serve.inference import index_of, infer, is_ready, metadata_of, server_metadata
from lighten.serve.limits import Limits
from lighten.serve.model import ServedModel
from lighten.serve.models import Models
from lighten.serve.parameters import check_parameters, deadline_in
from lighten.serve.refusals import Refusal, unusable
from lighten.serve.tensors import (
    FLOATS,
    LEVELS,
    NUMBERS,
    STRINGS,
    Tensor,
    check_datatype,
    check_shape,
    numbers,
    the_one,
    unpacked,
)

SERVICE = "inference.GRPCInferenceService"
EXTENSIONS = ("model_repository",)
CONTENTS: Mapping[str, str] = {STRINGS: "bytes_contents", FLOATS: "fp32_contents", LEVELS: "uint_contents"}
"""Field that holds the values of a datatype."""


def procedures(models: Models, limits: Limits) -> list[Procedure]:
    """All procedures of this protocol."""

    async def live(asked: Any, call: Call) -> Any:
        return message("ServerLiveResponse")(live=True)

    async def ready(asked: Any, call: Call) -> Any:
        return message("ServerReadyResponse")(ready=models.ready)

    async def server(asked: Any, call: Call) -> Any:
        return message("ServerMetadataResponse")(**server_metadata(EXTENSIONS))

    async def model_ready(asked: Any, call: Call) -> Any:
        try:
            able = is_ready(models.find(asked.name, asked.version), models)
        except Refusal as refusal:
            if refusal.status != 503:
                raise
            able = False  # there is one, and it is not open
        return message("ModelReadyResponse")(ready=able)

    async def metadata(asked: Any, call: Call) -> Any:
        told = metadata_of(models.find(asked.name, asked.version), models)
        return message("ModelMetadataResponse")(**{name: told[name] for name in told if name != "parameters"})

    async def answer(asked: Any, call: Call) -> Any:
        models.check(asked.model_name, asked.model_version)
        wanted = list(dict.fromkeys(one.name for one in asked.outputs))
        for one in asked.outputs:
            check_parameters(parameters_of(one))
        own = parameters_of(asked)
        check_parameters(own)
        deadline = min(call.deadline, deadline_in(own, limits))
        given = await aside(input_of, asked) if is_long(asked) else input_of(asked)
        model = models.open_for(asked.model_name, asked.model_version)
        found = await infer(model, given, wanted, deadline, call.presence)
        if sum(len(tensor.data) for tensor in found) > MANY:
            return await aside(reply_of, asked, model, found)
        return reply_of(asked, model, found)

    async def index(asked: Any, call: Call) -> Any:
        return message("RepositoryIndexResponse")(models=index_of(models, ready=asked.ready))

    async def load(asked: Any, call: Call) -> Any:
        version = versions.version_in(parameters_of(asked), asked.model_name, models)
        await versions.load(models, asked.model_name, version)
        return message("RepositoryModelLoadResponse")()

    async def unload(asked: Any, call: Call) -> Any:
        version = versions.version_in(parameters_of(asked), asked.model_name, models)
        await models.unload_version(asked.model_name, version)
        return message("RepositoryModelUnloadResponse")()

    return [
        Procedure(f"/{SERVICE}/ServerLive", "ServerLiveRequest", live, unlocked=True),
        Procedure(f"/{SERVICE}/ServerReady", "ServerReadyRequest", ready, unlocked=True),
        Procedure(f"/{SERVICE}/ServerMetadata", "ServerMetadataRequest", server),
        Procedure(f"/{SERVICE}/ModelReady", "ModelReadyRequest", model_ready),
        Procedure(f"/{SERVICE}/ModelMetadata", "ModelMetadataRequest", metadata),
        Procedure(f"/{SERVICE}/ModelInfer", "ModelInferRequest", answer),
        Procedure(f"/{SERVICE}/RepositoryIndex", "RepositoryIndexRequest", index),
        Procedure(f"/{SERVICE}/RepositoryModelLoad", "RepositoryModelLoadRequest", load, operates=True),
        Procedure(f"/{SERVICE}/RepositoryModelUnload", "RepositoryModelUnloadRequest", unload, operates=True),
    ]


def parameters_of(told: Any) -> dict[str, Any]:
    """Parameters of a request, an input or an output; one that has no value is None."""
    found = {}
    for name, value in told.parameters.items():
        chosen = value.WhichOneof(CHOICE)
        found[name] = getattr(value, chosen) if chosen is not None else None
    return found


def input_of(asked: Any) -> Tensor:
    """The one input that a request has.

    Raises:
        Refusal: there is another number of inputs, or it is none that any model takes, or its sizes do not agree.
    """
    (told,) = the_one(asked.inputs)
    check_parameters(parameters_of(told))
    datatype, shape, raw = check_datatype(told.datatype), check_shape(list(told.shape)), asked.raw_input_contents
    if not raw:
        return Tensor(told.name, datatype, shape, typed(told.contents, datatype)).checked()
    if len(raw) != 1:
        raise unusable(f"There are {len(raw)} raw_input_contents, and one input.", allowed="one for each input")
    if told.contents.ByteSize():
        raise unusable("The input has both contents and raw_input_contents.", allowed="one of them")
    return Tensor(told.name, datatype, shape, unpacked(raw[0], datatype)).checked()


def typed(contents: Any, datatype: str) -> Sequence[Any] | NDArray[Any]:
    """Values of a typed tensor.

    Raises:
        Refusal: they stand in the field of another datatype, or one is none of it.
    """
    other = next((field.name for field, _ in contents.ListFields() if field.name != CONTENTS[datatype]), None)
    if other is not None:
        raise unusable(f"The input's {other} hold values, and its datatype is {datatype}.", allowed=CONTENTS[datatype])
    found = list(getattr(contents, CONTENTS[datatype]))
    return numbers(found, datatype) if datatype in NUMBERS else found


def is_long(asked: Any) -> bool:
    """Whether it takes long to read the input of a request."""
    values = max((len(getattr(one.contents, name)) for one in asked.inputs for name in CONTENTS.values()), default=0)
    return values > MANY or sum(map(len, asked.raw_input_contents)) > SHORT


def reply_of(asked: Any, model: ServedModel, tensors: Sequence[Tensor]) -> Any:
    """Tensors in the form in which the input came."""
    reply = message("ModelInferResponse")(model_name=model.name, model_version=model.version, id=asked.id)
    for tensor in tensors:
        told = reply.outputs.add(**tensor.head())
        if asked.raw_input_contents:
            reply.raw_output_contents.append(tensor.packed())
        else:
            values = (
                [one.encode("utf-8", "replace") for one in tensor.data] if tensor.datatype == STRINGS else tensor.data
            )
            getattr(told.contents, CONTENTS[tensor.datatype]).extend(values)
    return reply
