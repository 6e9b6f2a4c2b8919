"""Limits: how much a server takes, of everything that can be too much. Checked before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lighten.core.errors import InputError, UnknownName
from lighten.core.step import setting, settings_of

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one server takes. The defaults are safe on a small machine."""

    body: int = setting(16 * MIB, "Most bytes of a request's body.", unit="bytes", low=1)
    held: int = setting(256 * MIB, "Most bytes of all bodies that are in memory together.", unit="bytes", low=1)
    headers: int = setting(32 * 1024, "Most bytes of a request's line and headers.", unit="bytes", low=512)
    depth: int = setting(16, "Most levels of lists and objects inside one another in JSON.", unit="levels", low=3)
    values: int = setting(
        1_048_576, "Most numbers, texts, lists and objects in the JSON of one request.", unit="values", low=64
    )
    inputs: int = setting(1024, "Most inputs of one request.", unit="inputs", low=1)
    size: int = setting(
        200_000, "Largest single input: characters of a text, blocks of 256 pixels of a picture.", unit="units", low=1
    )
    batch: int = setting(64, "Most inputs that are answered together.", unit="inputs", low=1)
    batch_seconds: float = setting(
        0.1, "What answering a batch is meant to take at the most, by the measured rate.", unit="s", low=0.001
    )
    wait: float = setting(
        0.001,
        "How long a batch waits for more, and only where the one before it had several requests and has just ended.",
        unit="s",
        low=0.0,
        high=1.0,
    )
    queue: int = setting(4_000_000, "Most work that waits, in the units of size.", unit="units", low=1)
    queue_seconds: float = setting(
        0.2, "Seconds of work that may wait, by the measured rate; two full batches always may.", unit="s", low=0.0
    )
    waiting_tokens: int = setting(
        200_000, "Most tokens of prompts and answers that wait to be written.", unit="tokens", low=1
    )
    answer: int = setting(256, "Tokens of an answer whose request does not say how many.", unit="tokens", low=1)
    answers: int = setting(16, "Most answers that one request may ask for.", unit="answers", low=1)
    stops: int = setting(16, "Most texts that may end an answer.", unit="texts", low=1)
    messages: int = setting(512, "Most messages of a conversation.", unit="messages", low=1)
    write_deadline: float = setting(
        300.0, "Seconds until an answer that is being written is given up.", unit="s", low=0.001
    )
    deadline: float = setting(30.0, "Seconds until a request is given up; it may ask for less.", unit="s", low=0.001)
    grace: float = setting(30.0, "Seconds in which what runs is finished after SIGTERM.", unit="s", low=0.0)
    slow: float = setting(20.0, "Seconds in which a client has to have sent its request.", unit="s", low=0.1)
    idle: int = setting(75, "Seconds that a connection without a request is kept.", unit="s", low=1)
    connections: int = setting(1024, "Most connections at a time.", low=1)
    cases: int = setting(10_000, "Most cases that are kept for people to judge.", unit="cases", low=1)
    case_bytes: int = setting(256 * MIB, "Most bytes of the inputs and answers of all cases.", unit="bytes", low=1)
    hang: float = setting(60.0, "Seconds after which a replica that does not answer is ended.", unit="s", low=0.1)

    def changed(self, told: Sequence[str]) -> Limits:
        """With limits as a user tells them: ``name=value``.

        Raises:
            InputError: no such text, or a value that is not allowed. UnknownName: there is no such limit.
        """
        known = {one.name: one for one in settings_of(Limits)}
        values: dict[str, Any] = {}
        for text in told:
            name, equals, value = text.partition("=")
            if not equals:
                raise InputError(f"A limit is {text!r}.", allowed="NAME=VALUE", fix="--limit deadline=10")
            if name not in known:
                raise UnknownName("limit", name, known)
            values[name] = _number(value, known[name].type, text)
            if problem := known[name].problem(values[name]):
                raise InputError(f"The limit {problem}.")
        return replace(self, **values)


def _number(text: str, kind: type, told: str) -> int | float:
    try:
        return int(text) if kind is int else float(text)
    except ValueError as error:
        raise InputError(f"The limit {told!r} is no number.", allowed=f"NAME={kind.__name__}") from error
