"""Prefill: how fast a prompt is read: tokens and bytes per second, up to the first token of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, ClassVar

from lighten.core.language import LanguageSession
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.core.session import Session
from lighten.meters._generation import LONG_PROMPT_BYTES, NO_LANGUAGE, NO_TEXT, joined, language_of, median, timed


class Prefill(SpeedMeter):
    """One long prompt per turn, texts of the workload joined, and one token of answer. Every model reads the same text.

    Tokens are the model's own, and two models are compared by bytes: by the time that the same text takes. Of a text
    that the context has no room for, the beginning is read and counted. The tokenizer is not on the clock: ``ttft`` of
    the meter decode has it.
    """

    quantities = (
        Quantity("prefill", "tok/s", HIGHER, "Prompt tokens read per second, in a prompt of 2,000 bytes."),
        Quantity("prefill_bytes", "bytes/s", HIGHER, "Bytes of text read per second, in a prompt of 2,000 bytes."),
    )
    turns = 5
    compared: ClassVar[Mapping[str, str]] = {"prefill": "bytes/s"}

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """One prompt. ``{"tokens": of the prompt, "bytes": of the text that they hold, "seconds", "note"}``."""
        language = language_of(session)
        if language is None:
            return {"tokens": 0, "note": NO_LANGUAGE}
        text = joined(work, LONG_PROMPT_BYTES, number)
        if not text:
            return {"tokens": 0, "note": NO_TEXT}
        prompt, size = fitted(language, text)
        language.forget()
        started = perf_counter()
        language.generate([prompt], 1, stop=False)
        return {"tokens": len(prompt), "bytes": size, "seconds": perf_counter() - started, "note": ""}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Median over the turns; ``n`` is the number of tokens."""
        whole = [turn for turn in turns if timed(turn)]
        tokens = sum(turn["tokens"] for turn in whole)
        return {
            "prefill": median([turn["tokens"] / turn["seconds"] for turn in whole], tokens, turns),
            "prefill_bytes": median([turn["bytes"] / turn["seconds"] for turn in whole], tokens, turns),
        }

    def compare(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, float | None]:
        """See :meth:`SpeedMeter.compare`: by bytes."""
        found = super().compare(turns)
        return {**found, "prefill": found["prefill_bytes"]}


def fitted(language: LanguageSession, text: str) -> tuple[list[int], int]:
    """The tokens of a text, or as many as leave room for an answer in the context, and the bytes that they hold."""
    whole = language.encode(text)
    prompt = whole[: max(language.context - 2, 1)]
    if len(prompt) == len(whole):
        return prompt, len(text.encode("utf-8", "replace"))
    return prompt, sum(map(len, language.pieces(prompt)))
