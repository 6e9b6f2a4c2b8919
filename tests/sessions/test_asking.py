"""A session asked by an event loop says what it says to who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lighten.core.errors import BuildFailed, InputError
from lighten.isolate.exchange import Reason
from lighten.sessions.asking import Asking
from lighten.sessions.process import SessionProcess
from lighten.tasks.text_classification import TextClassification

Make = Callable[..., SessionProcess]
LABELS = ("even", "odd")


def asked(session: SessionProcess, *batches: list[str]) -> list[Any]:
    """What it answers to batches, one after the other."""

    async def ask() -> list[Any]:
        told, lost, found = asyncio.Queue[Any](), asyncio.Queue[Reason](), list[Any]()
        asking = Asking(session, LABELS, told.put_nowait, lost.put_nowait)
        async with asyncio.timeout(60):
            for batch in batches:
                assert asking.ask(batch)
                found.append(await told.get())
        asking.leave()
        return found

    return asyncio.run(ask())


def test_it_answers_as_it_answers_who_waits(session_of: Make) -> None:
    with session_of(task=TextClassification()) as session:
        alone = session.predict(["a", "bb", "ccc"], LABELS)
        assert asked(session, ["a", "bb", "ccc"], ["bb"]) == [alone, alone[1:2]]
        assert session.predict(["a"], LABELS) == alone[:1]  # who asks now may wait again


def test_answers_that_are_none_are_errors(session_of: Make) -> None:
    with session_of(task=TextClassification(), fault="nan", after=1) as session:
        good, bad = asked(session, ["a"], ["a", "b"])
        assert good[0].label == "odd"
        assert isinstance(bad, BuildFailed) and "1 of 2 inputs hold NaN" in bad.seen


def test_what_cannot_be_read_is_said(session_of: Make) -> None:
    with session_of(task=TextClassification(), fault="unread", only="x") as session:
        good, bad = asked(session, ["a"], ["x"])
        assert good[0].label == "odd" and isinstance(bad, InputError)
