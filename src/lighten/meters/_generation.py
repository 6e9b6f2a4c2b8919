"""What the meters of generation share: prompts from the workload, a clock for the tokens that are heard, and bytes.

A token of one vocabulary is not a token of another. What compares models is the text: prompts are counted in bytes, and
an answer's tokens stand for as many bytes as the model's tokens hold in the user's own text, whatever the model says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter, process_time
from typing import Any

import numpy as np

from lighten.core.item import texts
from lighten.core.language import LanguageSession
from lighten.core.meter import SLICES, Workload
from lighten.core.result import Measured
from lighten.core.session import Session
from lighten.core.spread import half_iqr

PROMPT_BYTES = 128
"""Bytes of a prompt, about 64 tokens. Counted in bytes, so that models with different tokenizers read the same text."""
LONG_PROMPT_BYTES = 2000
"""Bytes of a long prompt, about 500 tokens."""
SAMPLED_BYTES = 8000
"""Bytes of the workload in which the bytes of a token are counted."""
JOINT = "\n\n"
SECONDS = 1.5
"""After that long on the clock, generating ends as soon as there are tokens enough."""
NO_LANGUAGE = "unknown: this session is no language model"
NO_TEXT = "unknown: the workload holds no text"
NOTHING_HEARD = "unknown: fewer than two tokens were generated"


def language_of(session: Session) -> LanguageSession | None:
    """The language session behind a task's session, or the session itself; None when it is another kind of model."""
    found = getattr(session, "language", session)
    return found if isinstance(found, LanguageSession) else None


def forget(session: Session) -> None:
    """Let a language session forget what other requests began with, so that no turn profits from the one before."""
    language = language_of(session)
    if language is not None:
        language.forget()


def excerpts(work: Workload, number: int, count: int) -> list[str]:
    """The beginnings of ``count`` requests, each up to the last word that fits into ``PROMPT_BYTES``.

    Turn ``number`` gets other requests than the turn before, the warm-up (-1) others than the first turn; fewer
    requests than ``count`` repeat themselves. Empty when no request has any text.
    """
    asked = _mixed(work)
    return [_head(asked[(number * count + i) % len(asked)]) for i in range(count)] if asked else []


def _mixed(work: Workload) -> list[str]:
    """The texts of the requests, but empty ones, slice by slice: those side by side are of all sizes."""
    every = [text for number in range(SLICES) for text in texts(work.singles[number::SLICES])]
    return [text for text in every if text.strip()]


def _head(text: str) -> str:
    cut = first_bytes(text, PROMPT_BYTES)
    words = cut.rpartition(" ")[0] if len(cut) < len(text) else cut
    return words if words.strip() else cut


def joined(work: Workload, most: int, number: int = 0) -> str:
    """The first ``most`` bytes of the requests, joined, over and over when there are few; no character is cut.

    Each ``number`` begins at another request; empty when no request has any text.
    """
    asked = _mixed(work)
    parts: list[str] = []
    size = 0
    while asked and size < most:
        parts.append(asked[(number + len(parts)) % len(asked)] + JOINT)
        size += len(parts[-1].encode("utf-8", "replace"))
    return first_bytes("".join(parts), most)


def first_bytes(text: str, most: int) -> str:
    """The beginning of a text that ``most`` bytes hold, no character cut."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= most else raw[:most].decode("utf-8", "ignore")


def bytes_per_token(language: LanguageSession, work: Workload) -> float:
    """Bytes that a token of the model holds in the texts of the workload; 0 when there is no text."""
    text = joined(work, SAMPLED_BYTES)
    tokens = language.encode(text, begin=False)
    return len(text.encode("utf-8", "replace")) / len(tokens) if tokens else 0.0


class Wave:
    """Hears the tokens of streams that run together; pass it to ``LanguageSession.generate`` as ``heard``.

    The clock starts when the last stream has its first token, so that reading the prompts is not on it. A session may
    work on fewer streams than it was given; once a stream begins after another one has ended, the wave is over, and
    all that comes later is ended at once.

    Args:
        most, least: tokens of each stream, at the most and, when time is up, at the least.

    Attributes:
        first: ``perf_counter`` of the first token of all; None when nothing was heard.
        tokens: heard while the clock ran.
    """

    def __init__(self, most: int, least: int) -> None:
        self.most, self.least = most, least
        self.first: float | None = None
        self.tokens = 0
        self._heard: dict[int, int] = {}
        self._since = self._until = self._cpu_since = self._cpu_until = 0.0
        self._ended = self._over = False

    def __call__(self, number: int, token: int) -> bool:
        """Whether stream ``number`` ends with this token."""
        now, cpu = perf_counter(), process_time()
        count = self._heard[number] = self._heard.get(number, 0) + 1
        self._over = self._over or (count == 1 and self._ended)
        if self._over:
            return True
        if self.first is None:
            self.first = now
        if count == 1:
            self._since, self._cpu_since, self.tokens = now, cpu, 0
        else:
            self.tokens += 1
        self._until, self._cpu_until = now, cpu
        ends = count >= self.most or (count >= self.least and now - self._since >= SECONDS)
        self._ended = self._ended or ends
        return ends

    def turn(self) -> dict[str, Any]:
        """``{"tokens", "seconds", "cpu": CPU-seconds of all threads of this process}`` while the clock ran."""
        return {
            "tokens": self.tokens,
            "seconds": self._until - self._since,
            "cpu": self._cpu_until - self._cpu_since,
        }


def timed(turn: Mapping[str, Any]) -> bool:
    """Whether a turn of :meth:`Wave.turn` holds something to divide by."""
    return bool(turn.get("tokens")) and turn["seconds"] > 0.0


def median(values: Sequence[float], n: int, turns: Sequence[Mapping[str, Any]]) -> Measured:
    """Median and spread of one value per turn; unknown, with the note of the turns, when there is none.

    Args:
        n: observations that the values rest on.
    """
    if values:
        return Measured(float(np.median(values)), n, half_iqr(values))
    return Measured(None, 0, note=next((turn["note"] for turn in turns if turn["note"]), NOTHING_HEARD))
