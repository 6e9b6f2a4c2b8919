"""A language model in a process of its own, for engines that live in another environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.errors import CandidateFailed
from lighten.core.language import GREEDY, LanguageSession, Prompt, Sampling, Scores, Span, Written, check_prompt
from lighten.core.session import Session
from lighten.isolate.environments import spec_of
from lighten.isolate.process import ChildProcess
from lighten.isolate.wire import ARRAYS
from lighten.sessions.process import SessionProcess
from lighten.sessions.writing import Failed, Read, Spelled, Writing

A_DAY = 86_400.0
DEADLINE = 600.0
"""Seconds that one request may take, however little it asks: these models think longer."""


class LanguageProcess(LanguageSession):
    """See :class:`LanguageSession`; everything is asked of a child process.

    Args:
        child: started, its session open. context, streams: what it said of itself.
    """

    def __init__(self, child: ChildProcess, context: int, streams: int) -> None:
        self._child, self.context, self.streams = child, context, streams
        self._writing, self._running, self._last = Writing(child), set[int](), 0

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """See :meth:`LanguageSession.encode`."""
        tokens: list[int] = self._ask("encode", text=text, begin=begin, special=special)["tokens"]
        return tokens

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """See :meth:`LanguageSession.pieces`."""
        return [bytes.fromhex(piece) for piece in self._ask("pieces", tokens=list(tokens))["pieces"]]

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return bool(self._ask("ends", token=token)["ends"])

    def score(self, spans: Sequence[Span]) -> list[Scores]:
        """See :meth:`LanguageSession.score`."""
        found = self._child.ask("score", A_DAY, spans=[[span.context, span.targets] for span in spans])[ARRAYS]
        return [
            Scores(logprobs.astype("float64", copy=False), greedy.astype("int32", copy=False))
            for logprobs, greedy in zip(found[::2], found[1::2], strict=True)
        ]

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        most: int,
        *,
        sampling: Sampling = GREEDY,
        stop: bool = True,
        heard: Callable[[int, int], bool] | None = None,
    ) -> list[list[int]]:
        """See :meth:`LanguageSession.generate`."""

        def told(event: Mapping[str, Any]) -> bool:
            return heard is not None and heard(event["number"], event["token"])

        made: list[list[int]] = self._child.ask(
            "generate",
            A_DAY,
            on_event=told,
            prompts=[list(prompt) for prompt in prompts],
            most=most,
            sampling=asdict(sampling),
            stop=stop,
            heard=heard is not None,
        )["made"]
        return made

    def add(self, prompt: Prompt) -> int:
        """See :meth:`LanguageSession.add`. What the engine refuses is raised by the step in which it hears of it."""
        check_prompt(prompt, self.context)
        self._last += 1
        self._writing.add(self._last, prompt)
        self._running.add(self._last)
        return self._last

    def step(self) -> list[Written]:
        """See :meth:`LanguageSession.step`. The process does not wait for it: it goes on by itself."""
        try:
            while self._running:
                found: list[Written] = []
                for one in self._writing.hear(A_DAY):
                    if isinstance(one, Failed):
                        self._running.discard(one.number)
                        raise one.error
                    if not isinstance(one, Read | Spelled):
                        found += [written for written in one if written.number in self._running]
                self._running -= {written.number for written in found if written.ended}
                if found:
                    return found
        except CandidateFailed:
            self._running.clear()
            raise
        return []

    def drop(self, number: int) -> None:
        """See :meth:`LanguageSession.drop`."""
        if number in self._running:
            self._running.discard(number)
            self._writing.drop(number)

    def forget(self) -> None:
        """See :meth:`LanguageSession.forget`."""
        self._ask("forget")

    def close(self) -> None:
        """See :meth:`Session.close`."""
        self._child.close()

    def _ask(self, operation: str, **message: Any) -> dict[str, Any]:
        return self._child.ask(operation, DEADLINE, **message)


def open_session(artifact: Artifact, engine: Engine, *, threads: int) -> Session:
    """Open an artifact to be used: in this process, or in a child where its engine has an environment of its own.

    Raises:
        MissingEnvironment: that environment was not made. BuildFailed: the engine cannot open it.
    """
    if not spec_of(engine):
        return engine.open(artifact, threads=threads)
    session = SessionProcess(artifact, engine, threads=threads, deadline=DEADLINE).__enter__()
    return LanguageProcess(session.child, **session.writing) if session.writing else session
