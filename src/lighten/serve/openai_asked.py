"""What a body of OpenAI's protocol asks for. Whatever is out of range or not done is refused by name, never dropped.

Source: https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from lighten.core.language import Sampling
from lighten.serve.http import write_json
from lighten.serve.intake import type_name
from lighten.serve.limits import Limits
from lighten.serve.refusals import Refusal

MOST_SEED = (1 << 63) - 1
MOST_TOKENS, MOST_TOKEN = 1 << 30, (1 << 31) - 1
"""Of an answer, whatever the model's context; and the highest number of a token."""
MOST_LIKELY, MOST_LIKELY_COMPLETIONS = 20, 5
"""Most likely tokens that can be asked at each place, of chat and of completions; OpenAI has the same bounds."""
HOTTEST = 2.0
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
"""Who may speak in a conversation, and what chat templates call it."""
ANY_OBJECT = '{"type":"object"}'

Json = Mapping[str, Any]


class Unfit(Refusal):
    """400: a parameter that is out of range, of another type, or asks for what is not done.

    Args:
        param: its name.
    """

    def __init__(self, param: str, seen: str, *, allowed: str = "", fix: str = "", code: str = "invalid_value") -> None:
        super().__init__(400, code, seen, allowed=allowed, fix=fix)
        self.param = param


@dataclass(frozen=True, slots=True)
class Asked(ABC):
    """What both kinds of requests ask for.

    Attributes:
        model: as the client names it. most: tokens of each answer; None where nothing is said.
        count: answers to each prompt. until: texts that end one. likely: see :class:`lighten.core.language.Prompt`.
        schema: JSON Schema, as JSON, that answers are to keep; empty for any text.
        stream: whether answers are wanted as they come. usage: whether tokens are counted at the end of the stream.
    """

    model: str
    most: int | None
    count: int
    sampling: Sampling
    until: tuple[str, ...]
    likely: int | None
    schema: str
    stream: bool
    usage: bool

    @property
    @abstractmethod
    def size(self) -> int:
        """Characters, or tokens, of what is to be read before it can be answered."""

    @property
    @abstractmethod
    def inputs(self) -> list[Any]:
        """What is to be answered by each answer, as a JSON value."""


@dataclass(frozen=True, slots=True)
class Completion(Asked):
    """A request for completions. prompts: texts or tokens. echo: whether answers begin with their prompt."""

    prompts: tuple[str | tuple[int, ...], ...] = ()
    echo: bool = False

    @property
    def size(self) -> int:
        """See :attr:`Asked.size`."""
        return len(self.schema) + sum(map(len, self.prompts))

    @property
    def inputs(self) -> list[Any]:
        """See :attr:`Asked.inputs`: its prompt."""
        return [one if isinstance(one, str) else list(one) for one in self.prompts for _ in range(self.count)]


@dataclass(frozen=True, slots=True)
class Talk(Asked):
    """A request for chat completions. messages: each with ``role`` and ``content``."""

    messages: tuple[Mapping[str, str], ...] = ()

    @property
    def size(self) -> int:
        """See :attr:`Asked.size`."""
        return len(self.schema) + sum(len(one["content"]) for one in self.messages)

    @property
    def inputs(self) -> list[Any]:
        """See :attr:`Asked.inputs`: the conversation."""
        return [{"messages": [dict(one) for one in self.messages]}] * self.count


class Body:
    """Parameters of a request, each taken by its name; null stands for one that is not there.

    Raises:
        Unfit: the body is no object.
    """

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise Unfit("", f"The body is {type_name(value)}.", allowed="an object")
        self._values = {name: one for name, one in value.items() if one is not None}
        self._taken: set[str] = set()

    def take(self, name: str) -> Any:
        """The value of a parameter; None where it is not there."""
        self._taken.add(name)
        return self._values.get(name)

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or value % 1:
            raise out_of_range(name, value, f"a whole number from {low:,} to {high:,}")
        return int(value)  # 7.0 is a whole number of JSON

    def number(self, name: str, default: float, allowed: Callable[[float], bool], words: str) -> float:
        """A number."""
        value = self.take(name)
        if value is None:
            return default
        fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        if not fits or not isfinite(value) or not allowed(float(value)):
            raise out_of_range(name, value, words)
        return float(value)

    def switch(self, name: str) -> bool:
        """True or false; false where it is not there."""
        value = self.take(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise out_of_range(name, value, "true or false")
        return value

    def neutral(self, name: str, *values: Any) -> None:
        """A parameter for something that is not done: it may only say so."""
        value = self.take(name)
        if value is not None and not any(value == one and type(value) is type(one) for one in values):
            said = " or ".join(write_json(one).decode() for one in values) or "nothing"
            raise Unfit(name, f"{name} is not done here.", allowed=f"{said}, or leave it out", code="unsupported")

    def end(self) -> None:
        """Refuse what nobody took."""
        other = next((name for name in self._values if name not in self._taken), None)
        if other is not None:
            known = ", ".join(sorted(self._taken))
            raise Unfit(other[:60], f"There is no parameter {other[:60]!r}.", allowed=known, code="unknown_parameter")


def out_of_range(name: str, value: Any, allowed: str) -> Unfit:
    """A parameter has another value than one that can be."""
    shown = f"{value!r:.40}" if isinstance(value, int | float | str | bool) else type_name(value)
    return Unfit(name, f"{name} is {shown}.", allowed=allowed)


def completion_asked(value: Any, limits: Limits) -> Completion:
    """What a body asks of ``/v1/completions``.

    Raises:
        Unfit: see :class:`Body`.
    """
    body = Body(value)
    echo = body.switch("echo")
    likely = body.whole("logprobs", 0, MOST_LIKELY_COMPLETIONS)
    prompts = _prompts(body.take("prompt"), limits)
    most = body.whole("max_tokens", 0 if echo else 1, MOST_TOKENS)
    body.neutral("suffix", "")
    count = _count(body, limits)
    best = body.whole("best_of", 1, limits.answers)
    if best is not None and best != count:
        raise Unfit("best_of", f"best_of is {best}, and n is {count}.", allowed="the same", code="unsupported")
    common = _common(body, limits, most, count, likely)
    return Completion(**common, prompts=prompts, echo=echo)


def talk_asked(value: Any, limits: Limits) -> Talk:
    """What a body asks of ``/v1/chat/completions``.

    Raises:
        Unfit: see :class:`Body`.
    """
    body = Body(value)
    wanted = body.switch("logprobs")
    top = body.whole("top_logprobs", 0, MOST_LIKELY)
    if top is not None and not wanted:
        raise Unfit("top_logprobs", "top_logprobs is given, but logprobs is not true.", fix='send "logprobs": true too')
    messages = _messages(body.take("messages"), limits)
    new, old = (body.whole(name, 1, MOST_TOKENS) for name in ("max_completion_tokens", "max_tokens"))
    if new is not None and old is not None and new != old:
        raise Unfit("max_tokens", f"max_tokens is {old}, and max_completion_tokens is {new}.", allowed="one of them")
    for name, values in NOT_IN_TALK.items():
        body.neutral(name, *values)
    most = new if new is not None else old
    common = _common(body, limits, most, _count(body, limits), (top or 0) if wanted else None)
    return Talk(**common, messages=messages)


NOT_IN_TALK: Mapping[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none",),
    "functions": ([],),
    "function_call": ("none",),
    "parallel_tool_calls": (True, False),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "reasoning_effort": (),
    "verbosity": (),
    "web_search_options": (),
}
NOT_DONE: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0, 0.0),
    "presence_penalty": (0, 0.0),
    "logit_bias": ({},),
    "store": (False,),
    "metadata": ({},),
    "service_tier": ("auto", "default"),
    "prompt_cache_key": (),
    "safety_identifier": (),
}
"""Parameters for what is not done, with the values that ask for nothing."""


def _common(body: Body, limits: Limits, most: int | None, count: int, likely: int | None) -> dict[str, Any]:
    model = body.take("model")
    if not isinstance(model, str) or not model:
        raise Unfit("model", "No model is named.", allowed="the name of one", code="missing_parameter")
    temperature = body.number("temperature", 1.0, lambda t: 0 <= t <= HOTTEST, f"0 to {HOTTEST:g}")
    top_p = body.number("top_p", 1.0, lambda p: 0 < p <= 1, "more than 0, at most 1")
    seed = body.whole("seed", -MOST_SEED - 1, MOST_SEED)
    given = secrets.randbits(63) if seed is None else seed & MOST_SEED
    until = _until(body.take("stop"), limits)
    schema = _schema(body.take("response_format"))
    if schema and until:
        raise Unfit("stop", "stop would cut the JSON that response_format asks for.", allowed="one of them")
    stream = body.switch("stream")
    usage = _usage(body.take("stream_options"), stream=stream)
    body.take("user")  # it names whose request it is, and changes nothing of the answer
    for name, values in NOT_DONE.items():
        body.neutral(name, *values)
    body.end()
    return {
        "model": model,
        "most": most,
        "count": count,
        "sampling": Sampling(temperature, top_p, given, repeatable=seed is not None),
        "until": until,
        "likely": likely,
        "schema": schema,
        "stream": stream,
        "usage": usage,
    }


def _count(body: Body, limits: Limits) -> int:
    return body.whole("n", 1, limits.answers) or 1


def _until(value: Any, limits: Limits) -> tuple[str, ...]:
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > limits.stops or not all(isinstance(one, str) for one in texts):
        raise out_of_range("stop", value, f"a text, or up to {limits.stops} of them")
    if not all(texts):
        raise Unfit("stop", "stop has an empty text.", allowed="texts of a character or more")
    return tuple(checked_text(one, "stop") for one in texts)


def _usage(value: Any, *, stream: bool) -> bool:
    if value is None:
        return False
    if not stream:
        raise Unfit("stream_options", "stream_options is given, but stream is not true.", fix='send "stream": true too')
    if not isinstance(value, dict) or not set(value) <= {"include_usage"}:
        raise Unfit("stream_options", "stream_options has something else.", allowed='{"include_usage": true}')
    wanted = value.get("include_usage", False)
    if not isinstance(wanted, bool):
        raise out_of_range("stream_options", wanted, '{"include_usage": true}')
    return wanted


def _schema(value: Any) -> str:
    """JSON Schema, as JSON; empty for any text."""
    if value is None:
        return ""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return ""
    if kind == "json_object":
        return ANY_OBJECT
    if kind != "json_schema":
        raise out_of_range("response_format", value, '{"type": "text"}, "json_object" or "json_schema"')
    told = value.get("json_schema")
    schema = told.get("schema") if isinstance(told, dict) else None
    if not isinstance(schema, dict):
        raise Unfit("response_format", "response_format has no schema.", allowed='{"json_schema": {"schema": {...}}}')
    return json.dumps(schema)


def _prompts(value: Any, limits: Limits) -> tuple[str | tuple[int, ...], ...]:
    if value is None:
        raise Unfit("prompt", "There is no prompt.", allowed="a text, tokens, or a list of either")
    several = isinstance(value, list) and bool(value) and not all(map(_is_token, value))
    every = value if several else [value]
    if len(every) > limits.inputs:
        raise Unfit("prompt", f"There are {len(every):,} prompts.", allowed=f"at most {limits.inputs:,}")
    found: list[str | tuple[int, ...]] = []
    for one in every:
        if isinstance(one, str) and one:
            found.append(checked_text(one, "prompt"))
        elif isinstance(one, list) and one and all(map(_is_token, one)):
            found.append(tuple(one))
        else:
            empty = "is empty" if one in ("", []) else f"is {type_name(one)}"
            raise Unfit("prompt", f"A prompt {empty}.", allowed="a text, tokens, or a list of either")
    return tuple(found)


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKEN


def _messages(value: Any, limits: Limits) -> tuple[Mapping[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise Unfit("messages", "There are no messages.", allowed='[{"role": "user", "content": "..."}]')
    if len(value) > limits.messages:
        raise Unfit("messages", f"There are {len(value):,} messages.", allowed=f"at most {limits.messages:,}")
    return tuple(_message(one, place) for place, one in enumerate(value))


def _message(value: Any, place: int) -> Mapping[str, str]:
    where = f"messages[{place}]"
    if not isinstance(value, dict):
        raise Unfit(where, f"{where} is {type_name(value)}.", allowed='{"role": "user", "content": "..."}')
    role = value.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise out_of_range(f"{where}.role", role, " or ".join(ROLES))
    other = next((name for name, one in value.items() if name not in ("role", "content") and one not in (None, [])), "")
    if other:
        raise Unfit(
            f"{where}.{other[:40]}", f"{where} has {other[:40]!r}.", allowed="role, content", code="unsupported"
        )
    return {"role": ROLES[role], "content": _content(value.get("content"), f"{where}.content")}


def _content(value: Any, where: str) -> str:
    """A text, or the texts of its parts."""
    if isinstance(value, str):
        return checked_text(value, where)
    if not isinstance(value, list):
        raise Unfit(where, f"{where} is {type_name(value)}.", allowed="a text")
    return "".join(_parts(value, where))


def _parts(parts: Sequence[Any], where: str) -> Iterable[str]:
    for part in parts:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            raise Unfit(where, f"{where} has a part that is no text.", allowed='{"type": "text", "text": "..."}')
        yield checked_text(text, where)


def checked_text(text: str, param: str) -> str:
    """A text that is Unicode.

    Raises:
        Unfit: it holds half a character.
    """
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Unfit(param, f"{param} holds half a character (a lone surrogate).", allowed="Unicode text") from error
    return text
