"""Prompts that a process continues while others come and go: what parent and child say of them, and the child's part.

The parent says ``add`` (a number of its own, and the prompt), ``drop`` (the number), ``read`` (a number, and a text
whose tokens it wants) or ``spell`` (a number, and tokens whose text it wants). The child tells of every step what each
sequence came on by, of every text its tokens, and of what cannot be done why; it goes on by itself as long as there is
something to go on with. Steps of answers that nobody reads token by token are told together: telling takes time of the
cores that write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any

from lighten.core.errors import LightenError
from lighten.core.language import LanguageSession, Likely, Prompt, Sampling, Written, check_tokens
from lighten.isolate import wire

HELD_SECONDS = 0.1
"""How long steps are kept at the most before they are told."""


class Desk:
    """Where a session writes for the parent. A context manager; leaving it drops what is left.

    Args:
        session: what writes. tell: sends an event to the parent.
    """

    def __init__(self, session: LanguageSession, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._session, self._tell = session, tell
        self._theirs: dict[int, int] = {}
        self._ours: dict[int, int] = {}
        self._waited_for = set[int]()  # by the parent's numbers: whose next token is told at once
        self._patient = set[int]()  # who wants that of the first one only
        self._held: list[list[Any]] = []
        self._told = monotonic()

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
                prompt = prompt_from(message["prompt"])
                ours = self._session.add(prompt)
                self._theirs[ours], self._ours[number] = number, ours
                self._waited_for.add(number)
                if not prompt.live:
                    self._patient.add(number)
            elif kind == "drop" and number in self._ours:
                ours = self._ours[number]
                self._forget(ours)
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
        """Go on by a step where there is something to go on with, and tell what came.

        A first token and an end are told at once, as is every token of a prompt that is live, with all that is held.
        """
        if not self._theirs:
            return
        waited_for = False
        for one in self._session.step():
            number = self._theirs.get(one.number)
            if number is None:
                continue
            self._held.append(written_record(one, number))
            waited_for = waited_for or number in self._waited_for or bool(one.ended)
            if number in self._patient:
                self._waited_for.discard(number)
            if one.ended:
                self._forget(one.number)
        if waited_for or not self._held or monotonic() - self._told > HELD_SECONDS:
            self._tell({"step": self._held})
            self._held, self._told = [], monotonic()

    def _forget(self, ours: int) -> None:
        number = self._theirs.pop(ours)
        del self._ours[number]
        self._waited_for.discard(number)
        self._patient.discard(number)

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
