"""Which build of llama.cpp is the faster one here: all decode the same file, in turns, each in its own process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from lighten.core.errors import CandidateFailed, LightenError, MissingExtra, ModelError
from lighten.core.recipe import engine_from, record_of
from lighten.isolate.process import ChildProcess

ROUNDS = 4
"""Turns of each build that count; one more warms it up."""
PROMPT, TOKENS = 16, 32
"""Tokens that are read, and tokens that are written on the clock."""
DEADLINE = 600.0
"""Seconds that loading and decoding may take."""

_sessions: dict[str, Any] = {}


def fastest(path: Path, engines: Sequence[Any], *, threads: int) -> Any:
    """The engine that takes the least time for a token.

    Args:
        path: a GGUF file. engines: of llama.cpp, each with a build of its own.

    Raises:
        CandidateFailed, ModelError, MissingExtra: none of them opens the file; one that does not is left out.
    """
    children = [ChildProcess(threads=threads, patient=True) for _ in engines]
    taken: dict[int, list[float]] = {}
    failed: LightenError | None = None
    try:
        for turn in range(ROUNDS + 1):
            for number, (child, engine) in enumerate(zip(children, engines, strict=True)):
                if turn and number not in taken:
                    continue
                try:
                    if not turn:
                        child.start()
                    asked = {"path": str(path), "engine": record_of(engine), "threads": threads}
                    function = f"{__name__}:seconds_per_token"
                    seconds = child.ask("call", DEADLINE, function=function, arguments=asked)["value"]
                except (CandidateFailed, ModelError, MissingExtra) as error:
                    failed = error
                    taken.pop(number, None)
                    continue
                taken.setdefault(number, []).extend([seconds] if turn else [])
    finally:
        for child in children:
            child.close()
    if not taken:
        assert failed is not None
        raise failed
    return engines[min(taken, key=lambda number: median(taken[number] or [float("inf")]))]


def seconds_per_token(path: str, engine: Mapping[str, Any], threads: int) -> float:
    """Seconds for one token, decoded greedily after a short prompt. The file stays open for the next call."""
    from lighten.engines._llama import LlamaSession

    if path not in _sessions:
        _sessions[path] = LlamaSession(Path(path), engine_from(engine), threads=threads)  # type: ignore[arg-type]
    session = _sessions[path]
    prompt = (session.encode("The") * PROMPT)[:PROMPT]
    heard: list[float] = []

    def hear(number: int, token: int) -> bool:
        heard.append(perf_counter())
        return False

    session.generate([prompt], TOKENS + 1, stop=False, heard=hear)
    return (heard[-1] - heard[0]) / (len(heard) - 1)
