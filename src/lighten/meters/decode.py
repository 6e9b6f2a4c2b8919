"""Decode: how fast one answer is written: time to the first token, time per token, tokens, bytes and CPU-seconds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar

from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, LOWER, Measured, Quantity
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

MOST, LEAST = 48, 8
"""Tokens of an answer: that many, or as many as there are when time is up, but these at the least."""


class Decode(SpeedMeter):
    """One answer per turn at one stream, to the beginning of a text of the workload. Tokens are the model's own.

    Two models are compared by bytes, not by tokens: by the time that a byte of text takes, a token standing for as many
    bytes as the model's tokens hold in the texts of the workload. Where vocabularies are the same, so are the ratios.

    An ending token does not end it, so that every model writes as much as the others. CPU-seconds are those of the
    session's whole process, all threads, after the first token.
    """

    quantities = (
        Quantity("tpot", "ms", LOWER, "Time per output token at one stream, after the first token."),
        Quantity("decode", "tok/s", HIGHER, "Output tokens per second at one stream, after the first token."),
        Quantity("decode_bytes", "bytes/s", HIGHER, "Bytes of text written per second at one stream, by its tokens."),
        Quantity("ttft", "ms", LOWER, "Time from the text of a short prompt to the first token of the answer."),
        Quantity("decode_cpu", "s/1000 tokens", LOWER, "CPU-seconds of all threads that 1,000 output tokens cost."),
    )
    turns = 5
    compared: ClassVar[Mapping[str, str]] = {"tpot": "ms/byte", "decode": "bytes/s", "decode_cpu": "s/1000 bytes"}

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """One answer. ``{"first": seconds to the first token or None, "tokens", "seconds", "cpu", "held", "note"}``.

        Tokens, seconds and CPU-seconds are those after the first token; ``held`` are the bytes that a token holds in
        the texts of the workload.
        """
        language = language_of(session)
        if language is None:
            return {"first": None, "note": NO_LANGUAGE}
        texts = excerpts(work, number, 1)
        if not texts:
            return {"first": None, "note": NO_TEXT}
        wave, held = Wave(MOST, LEAST), bytes_per_token(language, work)
        language.forget()
        started = perf_counter()
        prompt = language.encode(texts[0])[: max(language.context - MOST, 1)]
        language.generate([prompt], MOST, stop=False, heard=wave)
        first = None if wave.first is None else wave.first - started
        return {"first": first, **wave.turn(), "held": held, "note": "" if wave.tokens else NOTHING_HEARD}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Medians over the turns; ``n`` is the number of tokens, of ``ttft`` the number of prompts."""
        whole = [turn for turn in turns if timed(turn)]
        tokens = sum(turn["tokens"] for turn in whole)
        first = [turn["first"] * 1e3 for turn in turns if turn["first"] is not None]
        return {
            "tpot": median([turn["seconds"] * 1e3 / turn["tokens"] for turn in whole], tokens, turns),
            "decode": median([turn["tokens"] / turn["seconds"] for turn in whole], tokens, turns),
            "decode_bytes": median([turn["tokens"] * turn["held"] / turn["seconds"] for turn in whole], tokens, turns),
            "ttft": median(first, len(first), turns),
            "decode_cpu": median([turn["cpu"] * 1e3 / turn["tokens"] for turn in whole], tokens, turns),
        }

    def compare(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, float | None]:
        """See :meth:`SpeedMeter.compare`: per byte where the values are per token."""
        found = super().compare(turns)
        speed, whole = found["decode_bytes"], [turn for turn in turns if timed(turn) and turn["held"]]
        cpu = [turn["cpu"] * 1e3 / (turn["tokens"] * turn["held"]) for turn in whole]
        return {
            **found,
            "tpot": 1e3 / speed if speed else None,
            "decode": speed,
            "decode_cpu": statistics.median(cpu) if cpu else None,
        }
