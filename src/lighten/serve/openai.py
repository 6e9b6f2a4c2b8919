"""OpenAI's protocol, below ``/v1``: models, completions, chat completions and embeddings.

Source: https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from time import monotonic, time
from typing import Any, cast

from lighten.core.errors import InputError, TemplateRefusal
from lighten.core.language import MOST, Prompt, Written
from lighten.serve import openai_embeddings, openai_schema
from lighten.serve.chain import left
from lighten.serve.event_stream import DONE, EventStream, event_of
from lighten.serve.http import Request, Route, Sent, json_reply
from lighten.serve.limits import Limits
from lighten.serve.models import Models
from lighten.serve.openai_asked import Asked, Completion, Talk, Unfit, completion_asked, talk_asked
from lighten.serve.openai_told import Choice, Completed, Talked, Told
from lighten.serve.refusals import ClientGone, Refusal, no_such
from lighten.serve.writing_model import WritingModel

News = AsyncIterator[list[tuple[int, Written]]]
"""What comes of the answers of one request: places, each with what was written."""
FEW = 16
"""Tokens of a completion whose request does not say how many, as OpenAI has it."""
TYPES: Mapping[int, str] = {
    401: "authentication_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}
"""What OpenAI calls kinds of errors, by status; others below 500 are the request's, the rest the server's."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """How another version is asked what a client asked. values: what it sent, one for each prompt."""

    values: Sequence[Any]
    again: Callable[[WritingModel], Awaitable[list[Prompt]]]


def words(refusal: Refusal) -> dict[str, Any]:
    """An error as OpenAI has it."""
    ours = "server_error" if refusal.status >= 500 else "invalid_request_error"
    code = "model_not_found" if refusal.status == 404 and getattr(refusal, "param", "") == "model" else refusal.code
    param = getattr(refusal, "param", "") or None
    return {
        "error": {
            "message": refusal.line,
            "type": TYPES.get(refusal.status, ours),
            "param": param,
            "code": code,
        }
    }


def routes(models: Models, limits: Limits) -> list[Route]:
    """All routes of this protocol."""
    started = int(time())

    def record(name: str) -> dict[str, Any]:
        told = {"id": name, "object": "model", "created": started, "owned_by": "lighten"}
        if name in openai_embeddings.names(models):
            return told
        return {**told, "max_model_len": writing(models, name).context}

    async def every(request: Request) -> Sent:
        known = [*names(models), *openai_embeddings.names(models)]
        return json_reply({"object": "list", "data": [record(name) for name in known]})

    async def one(request: Request) -> Sent:
        return json_reply(record(request.params["name"]))

    async def completions(request: Request) -> Sent:
        asked = completion_asked(await request.json(), limits)
        until = monotonic() + limits.write_deadline
        model = open_for(models, asked.model)

        async def again(other: WritingModel) -> list[Prompt]:
            return (await _completed(other, asked, limits))[0][:: asked.count]

        with model.held():
            async with model.preparing(asked.size, request.presence) as prepared:
                await _check_schema(model, asked)
                prompts, echoed = await _completed(model, asked, limits, prepared)
            prompted = sum(len(prompt.tokens) for prompt in prompts[:: asked.count])
            told = Completed(asked.model, prompted, likely=asked.likely is not None, mark=mark_of(model))
            values = () if asked.echo else [one for one in asked.prompts if isinstance(one, str)]
            repeat = Repeat(values, again) if len(values) == len(asked.prompts) else None
            return await _answered(model, asked, prompts, told, request, until, echoed, repeat)

    async def talk(request: Request) -> Sent:
        asked = talk_asked(await request.json(), limits)
        until = monotonic() + limits.write_deadline
        model = open_for(models, asked.model)
        if not model.talks:
            seen = f"The model {asked.model!r} has no chat template: it continues texts, and answers none."
            raise Unfit("model", seen, fix="ask it at /v1/completions", code="unsupported")

        async def again(other: WritingModel) -> list[Prompt]:
            return _prompts(other, asked, [await _talked(other, asked)], limits.answer)[:1]

        with model.held():
            async with model.preparing(asked.size, request.presence) as prepared:
                await _check_schema(model, asked)
                tokens = await _talked(model, asked, prepared)
                prompts = _prompts(model, asked, [tokens], limits.answer)
            told = Talked(asked.model, len(tokens), likely=asked.likely is not None, mark=mark_of(model))
            repeat = Repeat([list(map(dict, asked.messages))], again)
            return await _answered(model, asked, prompts, told, request, until, (), repeat)

    async def embeddings(request: Request) -> Sent:
        return await openai_embeddings.answered(models, request, limits)

    def refusing(handler: Callable[[Request], Awaitable[Sent]]) -> Callable[[Request], Awaitable[Sent]]:
        async def answer(request: Request) -> Sent:
            try:
                return await handler(request)
            except Refusal as refusal:
                raise as_openai(refusal) from refusal.__cause__

        return answer

    listed = {"responses": {"200": {"description": "Models that write, or make vectors"}}}
    answers = {
        "application/json": {"schema": {"type": "object"}},
        "text/event-stream": {},
    }
    told = "Answers, or a stream of server-sent events where stream is true"
    answered = {"200": {"description": told, "content": answers}}
    vectors = {"200": {"description": "Vectors", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return [
        Route("GET", "/v1/models", refusing(every), "Models that write, or make vectors", listed, words),
        Route("GET", "/v1/models/{name}", refusing(one), "A model that writes, or makes vectors", listed, words),
        Route("POST", "/v1/completions", refusing(completions), "Texts that go on with prompts",
              {"requestBody": _body(openai_schema.completion(limits)), "responses": answered}, words),
        Route("POST", "/v1/chat/completions", refusing(talk), "What a model answers to a conversation",
              {"requestBody": _body(openai_schema.talk(limits)), "responses": answered}, words),
        Route("POST", "/v1/embeddings", refusing(embeddings), "Vectors of texts",
              {"requestBody": _body(openai_schema.embedding(limits)), "responses": vectors}, words),
    ]  # fmt: skip


def as_openai(refusal: Refusal) -> Refusal:
    """A refusal with the status that OpenAI has for it: what cannot be answered is 400."""
    if refusal.status != 422:
        return refusal
    found = Unfit(getattr(refusal, "param", ""), refusal.seen, allowed=refusal.allowed, fix=refusal.fix)
    found.counted = refusal.counted
    return found


def names(models: Models) -> list[str]:
    """Names of all models that write, and of their versions where there are several."""
    found: list[str] = []
    for name in models.names:
        versions = [version for version, model in models.loaded(name).items() if model.writes]
        if models.traffic[name].serving in versions:
            found.append(name)
        if len(models.versions(name)) > 1:
            found += [f"{name}:{one}" for one in versions]
    return found


def writing(models: Models, told: str) -> WritingModel:
    """A model that writes, by its name, or name and version with a colon between them.

    Raises:
        Refusal: there is none of this name, says those there are; or it is not open.
    """
    name, version = _split(told)
    found = models.find(name, version) if name in models.names else None
    if found is None or not found.writes:
        raise _no_model(told, names(models))
    return cast(WritingModel, found)


def open_for(models: Models, told: str) -> WritingModel:
    """The same, for a request that is to be answered.

    Raises:
        Refusal: there is none, or no request is taken any more.
    """
    writing(models, told)
    return cast(WritingModel, models.open_for(*_split(told)))


def mark_of(model: WritingModel) -> str:
    """What tells one build of a model from another."""
    return f"lighten-{model.source.artifact.id[:12] or model.version}"


def _split(told: str) -> tuple[str, str]:
    name, _, version = told.partition(":")
    return name, version


def _no_model(name: str, known: Sequence[str]) -> Refusal:
    refusal = no_such("model", name, known)
    found = Unfit("model", refusal.seen, allowed=refusal.allowed, fix=refusal.fix, code=refusal.code)
    found.status = 404
    return found


async def _check_schema(model: WritingModel, asked: Asked) -> None:
    """Raises Unfit before anything waits."""
    if asked.schema:
        try:
            await model.check_schema(asked.schema)
        except InputError as error:
            raise Unfit("response_format", error.seen, allowed=error.allowed, fix=error.fix) from error


async def _completed(
    model: WritingModel, asked: Completion, limits: Limits, until: float = inf
) -> tuple[list[Prompt], list[str]]:
    """Prompts of all answers, and with what each is echoed. until: see :meth:`WritingModel.rendered`."""
    if len(asked.prompts) * asked.count > limits.inputs:
        seen = f"{len(asked.prompts):,} prompts, each with {asked.count} answers, are asked for."
        raise Unfit("n", seen, allowed=f"at most {limits.inputs:,} answers in one request")

    async def text_of(one: str | tuple[int, ...]) -> str:
        return one if isinstance(one, str) else await model.text_of(one)

    every = await asyncio.gather(*(model.prompt_of(one, until) for one in asked.prompts))
    texts = await asyncio.gather(*map(text_of, asked.prompts)) if asked.echo else []
    echoed = [text for text in texts for _ in range(asked.count)]
    return _prompts(model, asked, every, FEW, told=asked.echo), echoed


async def _talked(model: WritingModel, asked: Talk, until: float = inf) -> tuple[int, ...]:
    """Tokens of a conversation in the model's own template, with one start token."""
    try:
        text = await model.rendered(asked.messages, until)
    except TemplateRefusal as error:
        raise Unfit("messages", error.seen, allowed=error.allowed, fix=error.fix) from error
    begin = await model.beginning()
    tokens = await model.tokens_of(text, begin=False, special=True)
    return tokens if tokens[:1] == begin else begin + tokens  # most templates write the start token themselves


def _prompts(
    model: WritingModel, asked: Asked, every: Sequence[tuple[int, ...]], default: int, *, told: bool = False
) -> list[Prompt]:
    """A prompt for each answer.

    Args:
        default: tokens of an answer where nothing is said; fewer where the context has no room for them.

    Raises:
        Unfit: one leaves no room for its answer.
    """
    found = list[Prompt]()
    for tokens in every:
        room = model.context - len(tokens)
        most = asked.most if asked.most is not None else min(default, max(room, 1))
        if most > room or not tokens:
            where = "messages" if isinstance(asked, Talk) else "prompt"
            seen = f"The prompt has {len(tokens):,} tokens, and {most:,} are asked for." if tokens else "It is empty."
            allowed = f"{model.context:,} tokens together, the context of the model as it was opened"
            raise Unfit(where, seen, allowed=allowed, code="context_length_exceeded")
        for _ in range(asked.count):
            sampling = replace(asked.sampling, draw=len(found))
            shown = told and asked.likely is not None
            said = asked.until, asked.likely, shown, asked.schema
            found.append(Prompt(tokens, most, sampling, True, *said, live=asked.stream))
    return found


async def _answered(
    model: WritingModel,
    asked: Asked,
    prompts: Sequence[Prompt],
    told: Told,
    request: Request,
    until: float,
    echoed: Sequence[str],
    repeat: Repeat | None,
) -> Sent:
    """Have prompts continued, and tell what came.

    Args:
        until: when it is given up, by ``time.monotonic``.
        echoed: with what each answer begins; nothing for answers that begin with themselves.
        repeat: how another version is asked the same; None where it cannot be.
    """
    news: News
    close: Callable[[], None]
    if asked.most == 0 and asked.likely is None:
        news, close = _nothing_more(len(prompts)), _nothing_held
    else:
        seconds = left(until, model.limits.write_deadline)
        answers = model.write(prompts, seconds, request.presence, asked.inputs if model.guards else ())
        news, close = answers, answers.close
    choices = [Choice(place, text) for place, text in enumerate(echoed)] or [Choice(n) for n in range(len(prompts))]

    def over() -> None:
        drawn = asked.sampling.temperature > 0 or asked.most == 0
        if model.observer is not None and repeat is not None and not drawn:
            model.observer.wrote(model, repeat.values, [one.text for one in choices[:: asked.count]], repeat.again)

    if asked.stream:
        events = _events(news, choices, told, over, counted=asked.usage, trimmed=isinstance(asked, Talk))
        return EventStream(events, close)
    try:
        async for several in news:
            for place, one in several:
                _take(choices[place], one, trimmed=isinstance(asked, Talk))
    finally:
        close()
    over()
    return json_reply(told.whole(choices))


async def _nothing_more(count: int) -> News:
    """So many answers that are over before they begin."""
    yield [(place, Written(0, None, "", MOST)) for place in range(count)]


def _nothing_held() -> None:
    """Close them."""


def _take(choice: Choice, one: Written, *, trimmed: bool) -> str:
    """An answer goes on. Returns by what.

    Args:
        trimmed: whether the blanks before it are no part of it: some tokenizers put one in front of every word.
    """
    text = one.text.lstrip() if trimmed and not choice.text else one.text
    choice.take(Written(one.number, one.token, text, one.ended, one.chosen, one.top, one.given))
    return text


async def _events(
    news: News,
    choices: Sequence[Choice],
    told: Told,
    over: Callable[[], object],
    *,
    counted: bool,
    trimmed: bool,
) -> AsyncIterator[bytes]:
    """Answers as server-sent events, those that came together in one piece. over: called once they are whole."""
    first = [part for one in choices for part in told.begun(one.place)]
    first += [told.delta(one.place, one.text, (), "") for one in choices if one.text]
    if first:
        yield b"".join(event_of(told.part([part], counted=counted)) for part in first)
    try:
        async for several in news:
            found = []
            for place, one in several:
                choice = choices[place]
                text = _take(choice, one, trimmed=trimmed)
                likely = [one] if one.chosen is not None else []
                if text or one.ended or (likely and told.likely):
                    part = told.delta(place, text, likely, choice.reason if one.ended else "")
                    found.append(event_of(told.part([part], counted=counted)))
            if found:
                yield b"".join(found)
    except ClientGone:
        raise
    except Refusal as refusal:
        yield event_of(words(refusal))
        return
    over()
    yield (event_of(told.counted(choices)) if counted else b"") + DONE


def _body(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}
