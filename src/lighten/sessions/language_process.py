"""A language model in a process of its own, for engines that live in another environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.language import GREEDY, LanguageSession, Sampling, Scores, Span
from lighten.core.session import Session
from lighten.isolate.environments import spec_of
from lighten.isolate.process import ChildProcess
from lighten.isolate.wire import ARRAYS
from lighten.sessions.process import SessionProcess

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
