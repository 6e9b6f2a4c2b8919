"""Memory: the most that a process held in RAM for the same work: opening the session and a fixed pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lighten.core.item import size_of
from lighten.core.language import LanguageSession
from lighten.core.meter import SpeedMeter, Workload
from lighten.core.result import LOWER, Measured, Quantity
from lighten.core.session import Session
from lighten.isolate.machine import peak_bytes
from lighten.meters._generation import LONG_PROMPT_BYTES, excerpts, forget, joined, language_of

STATUS = Path("/proc/self/status")
TOKENS, STREAMS = 8, 16
"""Of each answer that a language model writes, and how many it writes at once."""


class Memory(SpeedMeter):
    """Peak resident memory of the whole process: runtime, model, tokenizer, and one fixed pass over the workload.

    What a process has held depends on what it was asked, so it is a new one, and every model is asked the same before
    the peak is read: all rows of ``work.batch`` at once, then the longest of ``work.singles`` alone; a language model
    goes on with a prompt of 2,000 bytes and with 16 short ones at once, 8 tokens each.
    """

    quantities = (
        Quantity("memory", "MB", LOWER, "Most memory that a new process held for a fixed pass, in megabytes."),
    )
    fresh = True

    def turn(self, session: Session, work: Workload, number: int) -> Mapping[str, Any]:
        """The pass. ``{"bytes": peak resident memory of this process, "rows": handed over at once}``."""
        forget(session)
        if work.batch:
            session.run(work.batch)
        if work.singles and language_of(session) is None:
            session.run((max(work.singles, key=size_of),))
        language = language_of(session)
        if language is not None:
            write(language, work)
        return {"bytes": peak_bytes(STATUS), "rows": len(work.batch)}

    def reduce(self, turns: Sequence[Mapping[str, Any]]) -> Mapping[str, Measured]:
        """The highest peak, in megabytes of 1,000,000 bytes."""
        note = f"peak of a new process that opened it and answered {turns[0]['rows']} rows at once"
        return {"memory": Measured(max(turn["bytes"] for turn in turns) / 1e6, 1, note=note)}


def write(language: LanguageSession, work: Workload) -> None:
    """What a language model writes before the peak is read; nothing when no request has any text."""
    room = max(language.context - TOKENS, 1)
    for texts in ([joined(work, LONG_PROMPT_BYTES)], excerpts(work, 0, STREAMS)):
        prompts = [language.encode(text)[:room] for text in texts if text]
        if prompts:
            language.generate(prompts, TOKENS, stop=False)
