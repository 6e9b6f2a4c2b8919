"""Prefill: how fast a prompt is read: prompt tokens per second, up to the first token of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from lighten.core.engine import Session
from lighten.core.language import LanguageSession
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import HIGHER, Measured, Quantity
from lighten.meters._generation import NO_LANGUAGE, NO_TEXT, language_of, median, timed

LONGEST = 512
"""Tokens of the prompt; fewer when the model's context is shorter."""
JOINT = "\n\n"


class Prefill(SpeedMeter):
    """One long prompt per turn, texts of the workload joined, and one token of answer. Tokens are the model's own.

    The tokenizer is not on the clock: ``ttft`` of the meter decode has it.
    """

    quantities = (Quantity("prefill", "tok/s", HIGHER, "Prompt tokens read per second, in a prompt of 512."),)
    turns = 5

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """One prompt. ``{"tokens": of the prompt, "seconds", "note"}``."""
        language = language_of(session)
        if language is None:
            return {"tokens": 0, "note": NO_LANGUAGE}
        prompt = long_prompt(language, work, number)
        if not prompt:
            return {"tokens": 0, "note": NO_TEXT}
        language.forget()
        started = perf_counter()
        language.generate([prompt], 1, stop=False)
        return {"tokens": len(prompt), "seconds": perf_counter() - started, "note": ""}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """Median over the turns; ``n`` is the number of tokens."""
        whole = [turn for turn in turns if timed(turn)]
        tokens = sum(turn["tokens"] for turn in whole)
        return {"prefill": median([turn["tokens"] / turn["seconds"] for turn in whole], tokens, turns)}


def long_prompt(language: LanguageSession, work: Workload, number: int) -> list[int]:
    """``LONGEST`` tokens, or what the context has room for: requests joined, over and over when there are few.

    Each turn begins at another request; empty when no request has any text.
    """
    texts = [text for text in work.singles if text.strip()]
    length = max(min(LONGEST, language.context - 2), 1)
    prompt: list[int] = []
    for i in range(LONGEST if texts else 0):
        prompt += language.encode(texts[(number + i) % len(texts)] + JOINT, begin=i == 0)
        if len(prompt) >= length:
            break
    return prompt[:length]
