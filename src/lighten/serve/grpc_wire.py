"""What a message of gRPC would become, looked at before it is parsed: 16 MiB can hold eight million empty tensors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from lighten.serve.grpc_messages import FIELDS, message, parsed
from lighten.serve.refusals import too_large, unreadable

SHORT = 16 * 1024
"""Bytes that are parsed at once."""
MOST_FIELDS = 65_536
"""Most fields of a message, with those of the messages in it."""
MOST_PACKED = 4 << 20
"""Most bytes of all its typed numbers."""
PLAIN = ("string", "bytes")
VARINT, EIGHT, LENGTH, FOUR = 0, 1, 2, 5
"""Ways in which a field may lie on the wire."""


def parse(data: bytes, name: str) -> Any:
    """A message from its bytes.

    Raises:
        Refusal: it is none of this name, or would become too many objects.
    """
    from google.protobuf.message import DecodeError

    if len(data) > SHORT:
        check_fields(data, name)
    try:
        return message(name).FromString(data)
    except DecodeError as error:
        raise unreadable("The message cannot be read.", allowed=name) from error


def check_fields(data: bytes, name: str) -> None:
    """Refuse a message that would become too much.

    Raises:
        Refusal: it has too many fields or typed numbers, or is no message at all.
    """
    count = packed = 0
    left = [(0, len(data), name)]
    try:
        while left:
            at, end, name = left.pop()
            kinds = kinds_of(name)
            while at < end:
                count += 1
                if count > MOST_FIELDS:
                    fix = "send fewer inputs at a time, or raw_input_contents"
                    raise too_large("The message has too many fields.", f"at most {MOST_FIELDS:,}", fix)
                tag, at = _varint(data, at)
                how = tag & 7
                if how == VARINT:
                    _, at = _varint(data, at)
                elif how == LENGTH:
                    size, at = _varint(data, at)
                    kind = kinds.get(tag >> 3, "bytes")
                    if kind in FIELDS or kind[0] == "{":
                        left.append((at, at + size, kind))
                    elif kind not in PLAIN:
                        packed += size
                    at += size
                elif how in (EIGHT, FOUR):
                    at += 8 if how == EIGHT else 4
                else:
                    raise IndexError
            if at > end:
                raise IndexError
    except IndexError as error:
        raise unreadable("The message cannot be read.", allowed=name) from error
    if packed > MOST_PACKED:
        allowed, fix = f"at most {MOST_PACKED:,} bytes of them", "send them as raw_input_contents"
        raise too_large(f"The message has {packed:,} bytes of typed numbers.", allowed, fix)


@cache
def kinds_of(name: str) -> Mapping[int, str]:
    """What the fields of a message hold, by their numbers; of an entry of a map its value's name is in braces."""
    if name[0] == "{":
        return {1: "string", 2: name[1:-1]}
    return {number: kind if kind[0] == "{" else kind.strip("[]?") for number, kind, _ in parsed(FIELDS[name])}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where the next thing stands.

    Raises:
        IndexError: the data ends before, or it is too long.
    """
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    found, shift = byte & 127, 7
    while byte >= 128:
        at += 1
        byte = data[at]
        found |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise IndexError
    return found, at + 1
