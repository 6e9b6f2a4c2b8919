"""Streams: tokens per second of several answers that are written at the same time, all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lighten.core.language import LanguageSession
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.session import Session
from lighten.meters._generation import (
    NO_LANGUAGE,
    NO_TEXT,
    NOTHING_HEARD,
    Wave,
    bytes_per_token,
    excerpts,
    language_of,
    median,
    timed,
)

COUNTS = {"decode4": 4, "decode16": 16}
"""Prompts that are handed over at once."""
MOST, LEAST = 24, 6
"""Tokens of each answer: that many, or as many as there are when time is up, but these at the least."""


class Streams(SpeedMeter):
    """Several prompts at once, as a server gets them. The clock runs while as many answers grow as will grow together.

    A session that works on fewer streams than it is handed is as fast as those are; reading the prompts is not on the
    clock (see :class:`lighten.meters._generation.Wave`). Two models are compared by bytes, as the meter decode does.
    """

    quantities = (
        Quantity("decode4", "tok/s", HIGHER, "Output tokens per second of four answers written at the same time."),
        Quantity("decode16", "tok/s", HIGHER, "Output tokens per second of sixteen answers written at the same time."),
        Quantity("decode4_bytes", "bytes/s", HIGHER, "Bytes of text per second of four answers, by their tokens."),
        Quantity("decode16_bytes", "bytes/s", HIGHER, "Bytes of text per second of sixteen answers, by their tokens."),
    )
    turns = 3
    watched = tuple(COUNTS)
    compared: ClassVar[Mapping[str, str]] = dict.fromkeys(COUNTS, "bytes/s")

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """Each number of streams once. By quantity: ``{"tokens", "seconds", "cpu"}``; ``"held"`` and ``"note"``.

        ``held`` are the bytes that a token holds in the texts of the workload.
        """
        language = language_of(session)
        if language is None:
            return {"note": NO_LANGUAGE}
        if not excerpts(work, number, 1):
            return {"note": NO_TEXT}
        found = {name: _together(language, excerpts(work, number, count)) for name, count in COUNTS.items()}
        held = bytes_per_token(language, work)
        return {**found, "held": held, "note": "" if all(map(timed, found.values())) else NOTHING_HEARD}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Medians over the turns; ``n`` is the number of tokens."""
        found = {}
        for name in COUNTS:
            whole = [(turn[name], turn["held"]) for turn in turns if timed(turn.get(name, {}))]
            tokens = sum(part["tokens"] for part, _ in whole)
            rates = [part["tokens"] / part["seconds"] for part, _ in whole]
            found[name] = median(rates, tokens, turns)
            held = [rate * size for rate, (_, size) in zip(rates, whole, strict=True)]
            found[f"{name}_bytes"] = median(held, tokens, turns)
        return found

    def compare(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, float | None]:
        """See :meth:`SpeedMeter.compare`: by bytes."""
        found = super().compare(turns)
        return {**found, **{name: found[f"{name}_bytes"] for name in COUNTS}}


def _together(language: LanguageSession, texts: Sequence[str]) -> dict[str, Any]:
    room = max(language.context - MOST, 1)
    wave = Wave(MOST, LEAST)
    language.generate([language.encode(text)[:room] for text in texts], MOST, stop=False, heard=wave)
    return wave.turn()
