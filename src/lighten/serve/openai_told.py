"""Answers as OpenAI's protocol has them: whole, and in chunks as they come.

Source: https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

import codecs
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any, ClassVar
from uuid import uuid4

from lighten.core.language import END, STOP, Likely, Written

UTF_8 = codecs.getincrementaldecoder("utf-8")
REASONS = {END: "stop", STOP: "stop"}
"""What OpenAI calls the end of an answer; any other is for its length."""


@dataclass
class Choice:
    """One answer while it comes.

    Attributes:
        place: which one of its request. text: so far. reason: why it ended; empty before.
        tokens: of the answer so far. likely: of each token that was told, what may have stood there.
    """

    place: int
    text: str = ""
    reason: str = ""
    tokens: int = 0
    likely: list[Written] = field(default_factory=list)

    def take(self, one: Written) -> None:
        """What came."""
        self.text += one.text
        if one.token is not None and not one.given:
            self.tokens += 1
        if one.chosen is not None:
            self.likely.append(one)
        if one.ended:
            self.reason = REASONS.get(one.ended, "length")


class Told(ABC):
    """How one request is answered. A subclass is a kind of request, and says what its answers are called.

    Args:
        model: as the client named it. prompted: tokens of its prompts. likely: whether probabilities are told.
        mark: what tells one build of a model from another.
    """

    prefix: ClassVar[str]
    kind: ClassVar[str]
    chunk: ClassVar[str]

    def __init__(self, model: str, prompted: int, *, likely: bool, mark: str) -> None:
        self.id, self.created = f"{self.prefix}-{uuid4().hex}", int(time())
        self.model, self.prompted, self.likely, self.mark = model, prompted, likely, mark

    def whole(self, choices: Sequence[Choice]) -> dict[str, Any]:
        """The answer as one object."""
        told = [self.choice(one) for one in choices]
        return {**self._head(self.kind), "choices": told, "usage": self.usage(choices)}

    def part(self, choices: Sequence[dict[str, Any]], *, counted: bool) -> dict[str, Any]:
        """A chunk. counted: whether the last one will count tokens."""
        return {**self._head(self.chunk), "choices": list(choices), **({"usage": None} if counted else {})}

    def counted(self, choices: Sequence[Choice]) -> dict[str, Any]:
        """The last chunk, which counts tokens."""
        return {**self._head(self.chunk), "choices": [], "usage": self.usage(choices)}

    def usage(self, choices: Sequence[Choice]) -> dict[str, int]:
        """Tokens of prompts and answers."""
        made = sum(one.tokens for one in choices)
        return {
            "prompt_tokens": self.prompted,
            "completion_tokens": made,
            "total_tokens": self.prompted + made,
        }

    @abstractmethod
    def choice(self, one: Choice) -> dict[str, Any]:
        """A whole answer."""

    def begun(self, place: int) -> list[dict[str, Any]]:
        """What stands in the first chunk of an answer, before anything was written; nothing where nothing does."""
        return []

    @abstractmethod
    def delta(self, place: int, text: str, likely: Sequence[Written], reason: str) -> dict[str, Any]:
        """What came of an answer. reason: why it ended; empty before."""

    def _head(self, kind: str) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "system_fingerprint": self.mark}


class Completed(Told):
    """Answers of ``/v1/completions``."""

    prefix, kind, chunk = "cmpl", "text_completion", "text_completion"

    def __init__(self, model: str, prompted: int, *, likely: bool, mark: str) -> None:
        super().__init__(model, prompted, likely=likely, mark=mark)
        self._offsets: dict[int, int] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}

    def choice(self, one: Choice) -> dict[str, Any]:
        """See :meth:`Told.choice`."""
        return self.delta(one.place, one.text, one.likely, one.reason)

    def delta(self, place: int, text: str, likely: Sequence[Written], reason: str) -> dict[str, Any]:
        """See :meth:`Told.delta`."""
        told = self._logprobs(place, likely) if self.likely else None
        return {"index": place, "text": text, "logprobs": told, "finish_reason": reason or None}

    def _logprobs(self, place: int, likely: Sequence[Written]) -> dict[str, Any]:
        found: dict[str, list[Any]] = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for one in likely:
            assert one.chosen is not None
            at, name = self._offsets.get(place, 0), shown(one.chosen)
            found["tokens"].append(name)
            found["token_logprobs"].append(one.chosen.logprob)
            top = {shown(other): other.logprob for other in reversed(one.top)}
            top.setdefault(name, one.chosen.logprob)
            found["top_logprobs"].append(top if one.chosen.logprob is not None else None)
            found["text_offset"].append(at)
            decoder = self._decoders.setdefault(place, UTF_8("replace"))
            self._offsets[place] = at + len(decoder.decode(one.chosen.piece))
        return found


class Talked(Told):
    """Answers of ``/v1/chat/completions``."""

    prefix, kind, chunk = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def choice(self, one: Choice) -> dict[str, Any]:
        """See :meth:`Told.choice`."""
        message = {"role": "assistant", "content": one.text, "refusal": None}
        told = self._logprobs(one.likely) if self.likely else None
        return {"index": one.place, "message": message, "logprobs": told, "finish_reason": one.reason}

    def begun(self, place: int) -> list[dict[str, Any]]:
        """See :meth:`Told.begun`: who speaks."""
        delta = {"role": "assistant", "content": ""}
        return [{"index": place, "delta": delta, "logprobs": None, "finish_reason": None}]

    def delta(self, place: int, text: str, likely: Sequence[Written], reason: str) -> dict[str, Any]:
        """See :meth:`Told.delta`."""
        told = self._logprobs(likely) if self.likely and likely else None
        delta = {"content": text} if text or likely or not reason else {}
        return {"index": place, "delta": delta, "logprobs": told, "finish_reason": reason or None}

    def _logprobs(self, likely: Sequence[Written]) -> dict[str, Any]:
        content = []
        for one in likely:
            assert one.chosen is not None
            content.append({**_spelled(one.chosen), "top_logprobs": [_spelled(other) for other in one.top]})
        return {"content": content, "refusal": None}


def shown(one: Likely) -> str:
    """A token as text; a control token by its number, and bytes that are no whole character as OpenAI writes them."""
    if not one.piece:
        return f"<|{one.token}|>"
    try:
        return one.piece.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in one.piece)


def _spelled(one: Likely) -> dict[str, Any]:
    name = one.piece.decode("utf-8", "replace") if one.piece else shown(one)
    return {"token": name, "logprob": one.logprob, "bytes": list(one.piece)}
