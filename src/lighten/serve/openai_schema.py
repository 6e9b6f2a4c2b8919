"""What requests of OpenAI's protocol may hold, as JSON Schema, for the OpenAPI document: what ``openai_asked`` takes.

Source: https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lighten.serve.limits import Limits
from lighten.serve.openai_asked import (
    HOTTEST,
    MOST_LIKELY,
    MOST_LIKELY_COMPLETIONS,
    MOST_SEED,
    MOST_TOKEN,
    MOST_TOKENS,
    NOT_DONE,
    NOT_IN_TALK,
    ROLES,
)

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
NAME: Schema = {
    **TEXT,
    "description": "Name of a model that writes; of several versions NAME:VERSION, or the last one.",
}


def completion(limits: Limits) -> Schema:
    """Of ``/v1/completions``."""
    tokens = {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0, "maximum": MOST_TOKEN}}
    several = {"type": "array", "minItems": 1, "maxItems": limits.inputs, "items": {"anyOf": [TEXT, tokens]}}
    more = {
        "prompt": {"anyOf": [TEXT, tokens, several], "description": "Texts or tokens."},
        "max_tokens": _maybe(_whole(0, MOST_TOKENS, "0 only where echo is true; 16 where nothing is said.")),
        "echo": _maybe({"type": "boolean"}),
        "logprobs": _maybe(_whole(0, MOST_LIKELY_COMPLETIONS)),
        "best_of": _maybe(_whole(1, limits.answers, "Only the same as n.")),
        "suffix": _maybe({"const": ""}),
    }
    return {
        **_object({**_common(limits), **more}, "model", "prompt"),
        "allOf": [_only_where("stream_options", "stream")],
    }


def talk(limits: Limits) -> Schema:
    """Of ``/v1/chat/completions``."""
    part = _object({"type": {"const": "text"}, "text": {"type": "string"}}, "type", "text")
    said = {"anyOf": [{"type": "string"}, {"type": "array", "items": part}]}
    message = _object({"role": {"enum": list(ROLES)}, "content": said}, "role", "content")
    more = {
        "messages": {"type": "array", "minItems": 1, "maxItems": limits.messages, "items": message},
        "max_tokens": _maybe(_whole(1, MOST_TOKENS)),
        "max_completion_tokens": _maybe(_whole(1, MOST_TOKENS, "The same as max_tokens.")),
        "logprobs": _maybe({"type": "boolean"}),
        "top_logprobs": _maybe(_whole(0, MOST_LIKELY, "Only where logprobs is true.")),
        **{name: _neutral(*values) for name, values in NOT_IN_TALK.items()},
    }
    only = [_only_where("stream_options", "stream"), _only_where("top_logprobs", "logprobs")]
    return {**_object({**_common(limits), **more}, "model", "messages"), "allOf": only}


def embedding(limits: Limits) -> Schema:
    """Of ``/v1/embeddings``."""
    several = {"type": "array", "minItems": 1, "maxItems": limits.inputs, "items": TEXT}
    name = {**TEXT, "description": "Name of a model that makes vectors; of several versions NAME:VERSION, or the last."}
    properties = {
        "model": name,
        "input": {"anyOf": [TEXT, several], "description": "A text, or several; numbers of tokens are not taken."},
        "encoding_format": _maybe({"enum": ["float", "base64"]}),
        "dimensions": _maybe(_whole(1, 1 << 20, "Only what the model's vectors have.")),
        "user": {"description": "Taken, and without effect."},
    }
    return _object(properties, "model", "input")


def _common(limits: Limits) -> Schema:
    forms = [
        {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object"]}}},
        {
            "type": "object",
            "required": ["type", "json_schema"],
            "properties": {
                "type": {"const": "json_schema"},
                "json_schema": {
                    "type": "object",
                    "required": ["schema"],
                    "properties": {"schema": {"type": "object", "description": "JSON Schema."}},
                },
            },
        },
    ]
    usage = {"type": "object", "additionalProperties": False, "properties": {"include_usage": {"type": "boolean"}}}
    return {
        "model": NAME,
        "temperature": _maybe({"type": "number", "minimum": 0, "maximum": HOTTEST}),
        "top_p": _maybe({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
        "n": _maybe(_whole(1, limits.answers)),
        "seed": _maybe(_whole(-MOST_SEED - 1, MOST_SEED)),
        "stop": _maybe({"anyOf": [TEXT, {"type": "array", "maxItems": limits.stops, "items": TEXT}]}),
        "stream": _maybe({"type": "boolean"}),
        "stream_options": _maybe({**usage, "description": "Only where stream is true."}),
        "response_format": _maybe({"anyOf": forms, "description": "No schema beside stop."}),
        "user": {"description": "Taken, and without effect."},
        **{name: _neutral(*values) for name, values in NOT_DONE.items()},
    }


def _object(properties: Mapping[str, Any], *required: str) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": dict(properties),
    }


def _only_where(name: str, switch: str) -> Schema:
    """A parameter may only be there, and not null, where a switch is true."""
    return {
        "anyOf": [
            {"properties": {name: {"type": "null"}}},
            {"required": [switch], "properties": {switch: {"const": True}}},
        ]
    }


def _whole(low: int, high: int, told: str = "") -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, **({"description": told} if told else {})}


def _maybe(schema: Schema) -> Schema:
    """The same, or null, which stands for what is not there."""
    return {"anyOf": [schema, {"type": "null"}]}


def _neutral(*values: Any) -> Schema:
    return {"enum": [*values, None], "description": "Not done here: only what asks for nothing is taken."}
