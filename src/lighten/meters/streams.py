"""Streams: tokens per second of several answers that are written at the same time, all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lighten.core.engine import Session
from lighten.core.language import LanguageSession
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.meters._generation import NO_LANGUAGE, NO_TEXT, NOTHING_HEARD, Wave, excerpts, language_of, median, timed

COUNTS = {"decode4": 4, "decode16": 16}
"""Prompts that are handed over at once."""
MOST, LEAST = 24, 6
"""Tokens of each answer: that many, or as many as there are when time is up, but these at the least."""


class Streams(SpeedMeter):
    """Several prompts at once, as a server gets them. The clock runs while as many answers grow as will grow together.

    A session that works on fewer streams than it is handed is as fast as those are; reading the prompts is not on the
    clock (see :class:`lighten.meters._generation.Wave`).
    """

    quantities = (
        Quantity("decode4", "tok/s", HIGHER, "Output tokens per second of four answers written at the same time."),
        Quantity("decode16", "tok/s", HIGHER, "Output tokens per second of sixteen answers written at the same time."),
    )
    turns = 3

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """Each number of streams once. By quantity: ``{"tokens", "seconds", "cpu"}``; and ``"note"``."""
        language = language_of(session)
        if language is None:
            return {"note": NO_LANGUAGE}
        if not excerpts(work, number, 1):
            return {"note": NO_TEXT}
        found = {name: _together(language, excerpts(work, number, count)) for name, count in COUNTS.items()}
        return {**found, "note": "" if all(map(timed, found.values())) else NOTHING_HEARD}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Medians over the turns; ``n`` is the number of tokens."""
        found = {}
        for name in COUNTS:
            whole = [turn[name] for turn in turns if timed(turn.get(name, {}))]
            tokens = sum(part["tokens"] for part in whole)
            found[name] = median([part["tokens"] / part["seconds"] for part in whole], tokens, turns)
        return found


def _together(language: LanguageSession, texts: Sequence[str]) -> dict[str, Any]:
    room = max(language.context - MOST, 1)
    wave = Wave(MOST, LEAST)
    language.generate([language.encode(text)[:room] for text in texts], MOST, stop=False, heard=wave)
    return wave.turn()
