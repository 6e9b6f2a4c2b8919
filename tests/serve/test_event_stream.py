"""Replies of events come bit by bit, and end whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lighten.serve.event_stream import EventStream, event_of
from lighten.serve.refusals import ClientGone


def test_an_event_is_a_line_of_json() -> None:
    assert event_of({"a": "b\nc\ud800"}) == b'data: {"a":"b\\nc?"}\n\n'


async def sent(events: AsyncIterator[bytes], closed: list[int]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await EventStream(events, lambda: closed.append(1)).send(send)
    return messages


def test_events_are_sent_as_they_come_and_the_end_is_told() -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    closed: list[int] = []
    start, *rest = asyncio.run(sent(events(), closed))
    assert start["status"] == 200 and dict(start["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert [(one["body"], one.get("more_body", False)) for one in rest] == [(b"a", True), (b"b", True), (b"", False)]
    assert closed == [1]


def test_it_ends_quietly_for_who_has_gone_and_loudly_for_what_is_broken() -> None:
    async def gone() -> AsyncIterator[bytes]:
        yield b"a"
        raise ClientGone

    async def broken() -> AsyncIterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    closed: list[int] = []
    assert len(asyncio.run(sent(gone(), closed))) == 2
    with pytest.raises(ZeroDivisionError):
        asyncio.run(sent(broken(), closed))
    assert closed == [1, 1]
