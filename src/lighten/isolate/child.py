"""The child's side: a process that holds a session or does one job after another, until its parent is gone.

Whatever native libraries print goes to the log that the parent gave as stdout and stderr; messages have a socket of
their own. Times are taken in here, so that the way to the parent is not part of them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import select
import socket
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from lighten.core.item import from_plain
from lighten.isolate import wire
from lighten.isolate.neighbours import Neighbours

if TYPE_CHECKING:
    from lighten.core.language import LanguageSession
    from lighten.core.meter import SpeedMeter, Workload
    from lighten.core.session import Session
    from lighten.core.task import Task

SILENCED = ("openvino_telemetry",)
"""Packages that send usage data home and know no switch. OpenVINO and NNCF work without them and then send nothing."""
TURN_OF_A_THREAD = 0.0005
"""Seconds after which a thread that computes in Python lets another one go on. With the usual five milliseconds, a
stream whose runtime is done waits for another that decodes pictures: 71 microseconds a picture instead of 123."""

RECEIVED = 1 << 16
"""Bytes that are taken from the socket at once: for many more, memory would be mapped anew for each message."""

_parent: socket.socket | None = None
_lines: Lines | None = None
_sending = threading.Lock()


class Lines:
    """What the parent says, line by line; it can be looked whether there is a line."""

    def __init__(self, parent: socket.socket) -> None:
        self._parent, self._rest = parent, b""
        self._poll = select.poll()
        self._poll.register(parent, select.POLLIN)

    def waiting(self) -> bool:
        """Whether a line is there, or on its way."""
        return b"\n" in self._rest or bool(self._poll.poll(0))

    def readline(self) -> bytes:
        """The next one; empty when the parent has gone."""
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            part = self._parent.recv(RECEIVED)
            if not part:
                return b""
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line


class Child:
    """One method per operation, named as in the message."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.task: Task | None = None
        self.work: Workload | None = None
        self.meters: dict[str, SpeedMeter] = {}
        self.load_seconds = 0.0
        self.load_others: float | None = None

    def open(
        self, artifact: str, engine: Mapping[str, Any], threads: int, task: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Open an artifact through its engine, to be asked by ``task``.

        Returns ``seconds``, ``version``, ``device``, and ``writing`` of one that goes on with texts: its ``context``
        and ``streams``. The files are verified before the clock starts; the engine's imports are on it.
        """
        from lighten.core.artifact import Artifact
        from lighten.core.language import LanguageSession
        from lighten.core.recipe import engine_from, task_from

        verified = Artifact.open(Path(artifact))
        neighbours, started = Neighbours(), perf_counter()
        runtime = engine_from(engine)
        session = runtime.open(verified, threads=threads)
        self.load_seconds, self.load_others = perf_counter() - started, neighbours.share()
        self.task = task_from(task) if task else None
        self.session = self.task.wrap(session) if self.task is not None else session
        found = {"seconds": self.load_seconds, "version": runtime.version(), "device": runtime.device}
        if isinstance(session, LanguageSession):
            found["writing"] = {"context": session.context, "streams": session.streams}
        return found

    def run(self, inputs: list[Any]) -> dict[str, Any]:
        """Answer ``inputs``, items as plain values. Returns ``arrays``: the answers."""
        return {wire.ARRAYS: [self._opened().run(tuple(map(from_plain, inputs)))]}

    def predict(self, inputs: list[Any], labels: list[str]) -> dict[str, Any]:
        """See ``Task.predict``; inputs are items as plain values. Returns ``predictions``: of each its label, scores
        and measures; of vectors ``vectors``, in one text (see ``sessions.process``), and ``sizes``."""
        if self.task is None:
            raise RuntimeError("no task asks this session")
        found = self.task.predict(self._opened(), tuple(map(from_plain, inputs)), labels)
        if self.task.embeds and found:
            import numpy as np

            packed = np.asarray([one.vector for one in found], "<f4").tobytes()
            return {"vectors": b64encode(packed).decode(), "sizes": [one.size for one in found]}
        return {"predictions": [(one.label, dict(one.scores), dict(one.measures)) for one in found]}

    def replies(self, prompts: list[str], most: int) -> dict[str, Any]:
        """Go on with ``prompts``, the most likely token at each place, up to ``most`` of them. Returns ``texts``.

        Of a prompt that leaves no room in the context, the end is read.
        """
        language = self._language()
        most = min(most, language.context // 2)
        read = [_ending(language.encode(prompt), language.context - most) for prompt in prompts]
        made = language.generate(read, most)
        return {"texts": [b"".join(language.pieces(tokens)).decode("utf-8", "replace") for tokens in made]}

    def encode(self, text: str, begin: bool, special: bool) -> dict[str, Any]:
        """See ``LanguageSession.encode``. Returns ``tokens``."""
        return {"tokens": self._language().encode(text, begin=begin, special=special)}

    def pieces(self, tokens: list[int]) -> dict[str, Any]:
        """See ``LanguageSession.pieces``. Returns ``pieces``, each in hex."""
        return {"pieces": [piece.hex() for piece in self._language().pieces(tokens)]}

    def ends(self, token: int) -> dict[str, Any]:
        """See ``LanguageSession.ends``. Returns ``ends``."""
        return {"ends": self._language().ends(token)}

    def score(self, spans: list[list[list[int]]]) -> dict[str, Any]:
        """See ``LanguageSession.score``; a span is its context and its targets. Returns ``arrays``: pairs."""
        from lighten.core.language import Span

        found = self._language().score([Span(tuple(context), tuple(targets)) for context, targets in spans])
        return {wire.ARRAYS: [array for one in found for array in (one.logprobs, one.greedy)]}

    def generate(
        self, prompts: list[list[int]], most: int, sampling: Mapping[str, Any], stop: bool, heard: bool
    ) -> dict[str, Any]:
        """See ``LanguageSession.generate``; with ``heard`` the parent hears each token. Returns ``made``."""
        from lighten.core.language import Sampling

        tell = (lambda number, token: inquire({"number": number, "token": token}, self)) if heard else None
        return {"made": self._language().generate(prompts, most, sampling=Sampling(**sampling), stop=stop, heard=tell)}

    def write(self) -> dict[str, Any]:
        """Continue prompts that come and go while it runs, until the parent is told no more; see ``writing.Desk``."""
        from lighten.isolate.writing import Desk

        assert _lines is not None
        desk = Desk(self._language(), emit)
        with desk:
            while True:
                while not desk.busy or _lines.waiting():
                    line = _lines.readline()
                    if not line:
                        os._exit(0)
                    message = wire.unpack(line)
                    if "op" in message:
                        _reply(self, message)
                    else:
                        desk.hear(message)
                desk.step()

    def forget(self) -> dict[str, Any]:
        """See ``LanguageSession.forget``."""
        self._language().forget()
        return {}

    def load(self, singles: list[Any], batch: list[Any], files: int) -> dict[str, Any]:
        """Remember what the meters will ask: items as plain values."""
        from lighten.core.meter import Workload

        asked, together = (tuple(map(from_plain, inputs)) for inputs in (singles, batch))
        self.work = Workload(asked, together, files, self.load_seconds)
        return {}

    def turn(self, meter: str, number: int) -> dict[str, Any]:
        """One turn of a meter, garbage collection off.

        Returns:
            ``turn``, and ``others``: share of the cores that other processes took meanwhile; None when it is unknown.
        """
        if self.work is None:
            raise RuntimeError("no workload was loaded")
        session = self._opened()
        if meter not in self.meters:
            from lighten.core import catalog

            self.meters[meter] = catalog.load("meters", meter)()
        work = replace(self.work, load_seconds=self.load_seconds, load_others=self.load_others)
        gc.collect()
        gc.disable()
        neighbours = Neighbours()
        try:
            turn = self.meters[meter].turn(session, work, number)
        finally:
            gc.enable()
        return {"turn": dict(turn), "others": neighbours.share()}

    def call(self, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call ``package.module:function`` with JSON arguments. Returns ``value``, which must be JSON too."""
        module, _, name = function.partition(":")
        return {"value": getattr(importlib.import_module(module), name)(**arguments)}

    def close(self) -> dict[str, Any]:
        """Free the session."""
        if self.session is not None:
            self.session.close()
        return {}

    def _opened(self) -> Session:
        if self.session is None:
            raise RuntimeError("no session is open")
        return self.session

    def _language(self) -> LanguageSession:
        """The language session, whether a task asks it or not.

        Raises:
            InputError: it is no language model.
        """
        from lighten.core.errors import InputError
        from lighten.core.language import LanguageSession

        opened = self._opened()
        language = getattr(opened, "language", opened)
        if not isinstance(language, LanguageSession):
            raise InputError("This session goes on with no text.", allowed="a language model")
        return language


def _ending(tokens: list[int], most: int) -> list[int]:
    """The first token, which may begin every text of the model, and as many of the last as there is room for."""
    return tokens if len(tokens) <= most else [*tokens[:1], *tokens[len(tokens) - most + 1 :]]


def emit(event: Mapping[str, Any]) -> None:
    """Tell the parent something while an operation still runs; does nothing outside a child process."""
    if _parent is not None:
        with _sending:
            _parent.sendall(wire.pack({"event": event}))


def inquire(event: Mapping[str, Any], child: Child) -> bool:
    """Tell the parent something and wait for its yes or no, answering what it asks meanwhile; no without a parent."""
    if _parent is None or _lines is None:
        return False
    with _sending:
        _parent.sendall(wire.pack({"event": event, "asks": True}))
    while "answer" not in (message := wire.unpack(_lines.readline())):
        _reply(child, message)
    return bool(message["answer"])


def _reply(child: Child, message: dict[str, Any]) -> None:
    """Do what a message asks while another operation runs, and answer it; closing ends the process.

    A reply says what it is one ``to``: what runs all the while may fail before something else is answered.
    """
    operation = message["op"]
    reply = {**answer(child, message), "to": operation}
    with _sending, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if _parent is not None:
            _parent.sendall(_packed(reply))
    if operation == "close":
        os._exit(0)


def answer(child: Child, message: dict[str, Any]) -> dict[str, Any]:
    """Do what a message asks; an exception becomes its record."""
    from lighten.core.errors import BuildFailed, SessionCrashed, StepFailed

    operation = message.pop("op")
    otherwise = {"open": BuildFailed, "call": StepFailed}.get(operation, SessionCrashed)
    try:
        reply: dict[str, Any] = getattr(child, operation)(**message)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - everything a plug-in can raise goes to the parent, typed
        return {"error": wire.pack_error(error, otherwise)}
    return reply


def leave_with(parent: socket.socket) -> None:
    """End this process as soon as the parent has gone, even in the middle of a run."""
    watch = select.poll()
    watch.register(parent, 0)  # hang-ups are always reported
    watch.poll()
    os._exit(0)


def main(number: int) -> None:
    """Answer messages from socket ``number`` until it is closed."""
    os.set_inheritable(number, False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(TURN_OF_A_THREAD)
    global _parent, _lines
    _parent = parent = socket.socket(fileno=number)
    threading.Thread(target=leave_with, args=(parent,), daemon=True).start()
    for name in SILENCED:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it now raises ImportError
    child, _lines = Child(), Lines(parent)
    for line in _lines:
        message = wire.unpack(line)
        if "op" in message:  # what was said to an operation that has failed meanwhile is heard by nobody
            _reply(child, message)
    os._exit(0)  # the exit handlers of native libraries have nothing to add, and some of them crash


def _packed(reply: dict[str, Any]) -> bytes:
    """A reply as bytes; one that holds what cannot be sent becomes an error."""
    try:
        return wire.pack(reply)
    except (TypeError, ValueError) as error:
        return wire.pack({"error": wire.pack_error(error), "to": reply["to"]})
