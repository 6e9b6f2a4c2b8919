"""Messages of gRPC that are spoken here: classes made of a table of their fields, so that there is no generated code.

On the wire a field is its number and its type; names of messages stand nowhere, so that those that others nest lie side
by side here, and an enumeration is a number. Specifications: kserve/open-inference-protocol,
``open_inference_grpc.proto``, and Triton's index of the model repository beside it; grpc/grpc, ``health.proto``;
googleapis, ``google/rpc``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

PACKAGE = "lighten.serve"
CHOICE = "choice"
"""What the fields of which a message has one are called together."""
NAMED_MODEL = "1 string name, 2 string version"
FIELDS: Mapping[str, str] = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "1 bool live",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "1 bool ready",
    "ModelReadyRequest": NAMED_MODEL,
    "ModelReadyResponse": "1 bool ready",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "1 string name, 2 string version, 3 [string] extensions",
    "ModelMetadataRequest": NAMED_MODEL,
    "ModelMetadataResponse": "1 string name, 2 [string] versions, 3 string platform, 4 [TensorMetadata] inputs, "
    "5 [TensorMetadata] outputs",
    "TensorMetadata": "1 string name, 2 string datatype, 3 [int64] shape",
    "ModelInferRequest": "1 string model_name, 2 string model_version, 3 string id, 4 {InferParameter} parameters, "
    "5 [InferInputTensor] inputs, 6 [InferRequestedOutputTensor] outputs, 7 [bytes] raw_input_contents",
    "InferInputTensor": "1 string name, 2 string datatype, 3 [int64] shape, 4 {InferParameter} parameters, "
    "5 InferTensorContents contents",
    "InferRequestedOutputTensor": "1 string name, 2 {InferParameter} parameters",
    "ModelInferResponse": "1 string model_name, 2 string model_version, 3 string id, 4 {InferParameter} parameters, "
    "5 [InferOutputTensor] outputs, 6 [bytes] raw_output_contents",
    "InferOutputTensor": "1 string name, 2 string datatype, 3 [int64] shape, 4 {InferParameter} parameters, "
    "5 InferTensorContents contents",
    "InferParameter": "1 ?bool bool_param, 2 ?int64 int64_param, 3 ?string string_param, 4 ?double double_param, "
    "5 ?uint64 uint64_param",
    "InferTensorContents": "1 [bool] bool_contents, 2 [int32] int_contents, 3 [int64] int64_contents, "
    "4 [uint32] uint_contents, 5 [uint64] uint64_contents, 6 [float] fp32_contents, 7 [double] fp64_contents, "
    "8 [bytes] bytes_contents",
    "RepositoryIndexRequest": "1 string repository_name, 2 bool ready",
    "RepositoryIndexResponse": "1 [ModelIndex] models",
    "ModelIndex": "1 string name, 2 string version, 3 string state, 4 string reason",
    "RepositoryModelLoadRequest": "1 string repository_name, 2 string model_name, "
    "3 {ModelRepositoryParameter} parameters",
    "RepositoryModelLoadResponse": "",
    "RepositoryModelUnloadRequest": "1 string repository_name, 2 string model_name, "
    "3 {ModelRepositoryParameter} parameters",
    "RepositoryModelUnloadResponse": "",
    "ModelRepositoryParameter": "1 ?bool bool_param, 2 ?int64 int64_param, 3 ?string string_param, "
    "4 ?bytes bytes_param",
    "HealthCheckRequest": "1 string service",
    "HealthCheckResponse": "1 int32 status",
    "Status": "1 int32 code, 2 string message, 3 [Any] details",
    "Any": "1 string type_url, 2 bytes value",
    "ErrorInfo": "1 string reason, 2 string domain",
    "RetryInfo": "1 Duration retry_delay",
    "Duration": "1 int64 seconds, 2 int32 nanos",
}
"""Fields of each message: number, type and name. In brackets there may be several of the type, in braces there is one
for each text that names it, and of those with a question mark one."""


@cache
def message(name: str) -> Any:
    """The class of a message."""
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool() -> Any:
    """A pool of our own: other programs in this process may have messages of the same names."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(name="lighten/serve.proto", package=PACKAGE, syntax="proto3")
    for name, fields in FIELDS.items():
        _describe(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _describe(described: Any, fields: str) -> None:
    """Write the fields of a message into its descriptor."""
    for number, kind, name in parsed(fields):
        field = described.field.add(number=number, name=name, label=_label(kind))
        if kind.startswith("{"):
            entry = described.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
            entry.options.map_entry = True
            _describe(entry, f"1 string key, 2 {kind[1:-1]} value")
            kind = f"{described.name}.{entry.name}"
        elif kind.startswith("?"):
            if not described.oneof_decl:
                described.oneof_decl.add(name=CHOICE)
            field.oneof_index = 0
        _type(field, kind.strip("[]?"))


def parsed(fields: str) -> Iterator[tuple[int, str, str]]:
    """Number, type and name of each field of a message."""
    for told in fields.split(", ") if fields else ():
        number, kind, name = told.split()
        yield int(number), kind, name


def _label(kind: str) -> int:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

    found: int = Field.LABEL_REPEATED if kind[0] in "[{" else Field.LABEL_OPTIONAL
    return found


def _type(field: Any, kind: str) -> None:
    """Say what a field holds: a message of this table, or a number, text or bytes."""
    if kind.partition(".")[0] in FIELDS:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
