"""Prompts that a process continues while others come and go: what parent and child say of them, and the child's part.

The parent says ``add`` (a number of its own, and the prompt), ``drop`` (the number), ``read`` (a number, and a text
whose tokens it wants) or ``spell`` (a number, and tokens whose text it wants). The child tells of every step what each
sequence came on by, of every text its tokens, and of what cannot be done why; it goes on by itself as long as there is
something to go on with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from lighten.core.errors import LightenError
from lighten.core.language import LanguageSession, Likely, Prompt, Sampling, Written, check_tokens
from lighten.isolate import wire


class Desk:
    """Where a session writes for the parent. A context manager; leaving it drops what is left.

    Args:
        session: what writes. tell: sends an event to the parent.
    """

    def __init__(self, session: LanguageSession, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._session, self._tell = session, tell
        self._theirs: dict[int, int] = {}
        self._ours: dict[int, int] = {}

    @property
    def busy(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self._theirs)

    def hear(self, message: Mapping[str, Any]) -> None:
        """Do what the parent says, and tell what it asks. What cannot be done is told, and ends nothing else."""
        kind = next(iter(message))
        number = message[kind]
        try:
            if kind == "add":
                ours = self._session.add(prompt_from(message["prompt"]))
                self._theirs[ours], self._ours[number] = number, ours
            elif kind == "drop" and number in self._ours:
                ours = self._ours.pop(number)
                del self._theirs[ours]
                self._session.drop(ours)
            elif kind == "read":
                begin, special = message["begin"], message["special"]
                tokens = self._session.encode(message["text"], begin=begin, special=special)
                self._tell({"read": number, "tokens": tokens})
            elif kind == "spell":
                if self._session.vocabulary:
                    check_tokens(message["tokens"], self._session.vocabulary)
                pieces = self._session.pieces(message["tokens"])
                self._tell({"spelled": number, "text": b"".join(pieces).decode("utf-8", "replace")})
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one of them is told of this one
            self._tell({"failed": number, "error": wire.pack_error(error)})

    def step(self) -> None:
        """Go on by a step where there is something to go on with, and tell what came."""
        if not self._theirs:
            return
        told = []
        for one in self._session.step():
            number = self._theirs.get(one.number)
            if number is not None:
                told.append(written_record(one, number))
                if one.ended:
                    del self._theirs[one.number], self._ours[number]
        self._tell({"step": told})

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        for ours in list(self._theirs):
            with contextlib.suppress(Exception):  # the session may be broken, which is told already
                self._session.drop(ours)


def prompt_record(prompt: Prompt) -> dict[str, Any]:
    """A prompt as plain values."""
    return asdict(prompt)


def prompt_from(record: Mapping[str, Any]) -> Prompt:
    """The prompt of a record."""
    made = {**record, "tokens": tuple(record["tokens"]), "until": tuple(record["until"])}
    return Prompt(**{**made, "sampling": Sampling(**record["sampling"])})


def written_record(one: Written, number: int) -> list[Any]:
    """What a sequence came on by as plain values, under another number."""
    told: list[Any] = [number, one.token, one.text, one.ended]
    if one.chosen is not None:
        told += [one.given, _likely_record(one.chosen), [_likely_record(other) for other in one.top]]
    return told


def written_from(record: list[Any]) -> Written:
    """What a record says."""
    number, token, text, ended, *likely = record
    if not likely:
        return Written(number, token, text, ended)
    given, chosen, top = likely
    return Written(number, token, text, ended, _likely_from(chosen), tuple(map(_likely_from, top)), given)


def error_of(record: Mapping[str, str]) -> LightenError:
    """The error that a record tells of."""
    return wire.unpack_error(record)


def _likely_record(one: Likely) -> list[Any]:
    return [one.token, one.logprob, one.piece.hex()]


def _likely_from(record: list[Any]) -> Likely:
    token, logprob, piece = record
    return Likely(token, logprob, bytes.fromhex(piece))
