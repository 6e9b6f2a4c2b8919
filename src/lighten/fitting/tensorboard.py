"""Scalars as TensorBoard reads them: event files, written without its library.

Source:
    TensorFlow, ``core/util/event.proto``, ``core/framework/summary.proto`` and ``core/lib/io/record_writer.h``: records
    of length, masked CRC-32C of the length, data, masked CRC-32C of the data.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lighten.store.artifacts import writing

_POLYNOMIAL, _MASK = 0x82F63B78, 0xA282EAD8


class EventFile:
    """One event file in a folder; a resumed training writes another one, and TensorBoard joins them."""

    def __init__(self, folder: Path) -> None:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"events.out.tfevents.{int(time.time())}.lighten.{os.getpid()}"
        self._append(_double(1, time.time()) + _bytes(3, b"brain.Event:2"))

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Add scalars by tag."""
        values = b"".join(_bytes(1, _bytes(1, tag.encode()) + _float(2, value)) for tag, value in scalars.items())
        self._append(_double(1, time.time()) + _number(2, step) + _bytes(5, values))

    def begin(self, step: int) -> None:
        """A training was taken up: what older files have from a step on is dropped (``SessionLog.START``)."""
        self._append(_double(1, time.time()) + _number(2, step) + _bytes(7, _number(1, 1)))

    def _append(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        with writing(self._path.parent), self._path.open("ab") as stream:
            stream.write(length + _masked(length) + event + _masked(event))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


@cache
def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return tuple(found)


def _masked(data: bytes) -> bytes:
    """The masked CRC-32C of data."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)
