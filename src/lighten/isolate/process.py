"""Child processes that can crash, hang or leak without harm, and leave nothing behind when they end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from lighten.core.errors import CandidateFailed, OutOfMemory, SessionCrashed, SessionTimeout
from lighten.core.home import home_for_libraries
from lighten.isolate import elsewhere, wire
from lighten.isolate.channel import Channel
from lighten.isolate.conversation import Conversation
from lighten.isolate.environments import EnvironmentSpec
from lighten.isolate.machine import allowed_memory, resident_bytes

DOING = {
    "open": "opened the artifact",
    "run": "answered",
    "predict": "answered",
    "replies": "wrote samples",
    "encode": "read a text",
    "pieces": "spelled tokens",
    "ends": "looked at a token",
    "score": "scored tokens",
    "generate": "wrote",
    "write": "wrote",
    "load": "took the workload",
    "turn": "was measured",
    "call": "was at work",
}
GRACE_SECONDS = 5.0
LOG_BYTES, LOG_LINES, LOG_CHARACTERS = 8192, 6, 600

PATIENT = {"GOMP_SPINCOUNT": "100"}
"""A microsecond or so of waiting busily; the default is some milliseconds, which a busy machine turns into seconds. Of
10,000, 1,000 and 100, MiniLM trained fastest by the last on two cores with AVX2, busy and quiet; quiet, the default was
6 % faster."""


class ChildProcess:
    """One ``python -m lighten.isolate``: start it, ask it, end it. Always ended by :meth:`close`, with all it started.

    Args:
        threads: what every runtime's own thread setting is set to.
        memory: bytes of resident memory at which it is ended; None for 90 % of what this machine allows.
        patient: let threads of OpenMP sleep at once where they wait for each other. On a machine that others use too,
            training is up to several times faster so, and a token of a language model comes dozens of times sooner; on
            a quiet one either takes a little longer.
        venv: where it runs; lighten's own environment when nothing is said.
    """

    def __init__(
        self, *, threads: int, memory: int | None = None, patient: bool = False, venv: EnvironmentSpec | None = None
    ) -> None:
        self.threads, self.memory, self.patient = threads, memory, patient
        self.venv = venv or EnvironmentSpec()
        self.peak = 0
        self.failure: CandidateFailed | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._talk: Conversation | None = None
        self.busy = False
        self._words = b""

    def start(self) -> None:
        """Start the process; it has nothing heavy imported yet.

        Raises:
            MissingEnvironment: the environment that it is to run in was not made.
        """
        python, variables_there = self.venv.interpreter(), self.venv.variables()
        self._limit = self.memory or int(allowed_memory() * 0.9)
        self.socket, theirs = socket.socketpair()
        self.channel = Channel(self.socket, self._watch_memory)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is reaped
        number = str(theirs.fileno())
        there = [elsewhere.__file__, number, elsewhere.borrowed()] if self.venv else ["-m", "lighten.isolate", number]
        try:
            self._process = subprocess.Popen(
                [python, "-P", *there],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(theirs.fileno(),),
                env={**variables_there, **variables(self.threads), **(PATIENT if self.patient else {})},
                start_new_session=True,
            )
        finally:
            theirs.close()

    @property
    def kind(self) -> tuple[int, int | None, bool, EnvironmentSpec]:
        """What it was made with: processes of one kind do the same."""
        return self.threads, self.memory, self.patient, self.venv

    @property
    def pid(self) -> int:
        """Process id; 0 when it is not running."""
        return self._process.pid if self._process else 0

    @property
    def gone(self) -> bool:
        """Whether the process has ended, as far as that shows without asking it anything."""
        if self._process is None:
            return True
        waiting = select.poll()
        waiting.register(self.socket, 0)  # hang-ups are always reported
        return bool(waiting.poll(0))

    def ask(
        self,
        operation: str,
        deadline: float,
        *,
        on_event: Callable[[Mapping[str, Any]], object] | None = None,
        **message: Any,
    ) -> dict[str, Any]:
        """Send one message and wait for its answer.

        Args:
            operation: name of a method of ``child.Child``; ``message`` are its arguments.
            deadline: seconds from now.
            on_event: called with what the child emits or asks meanwhile (see ``child.emit`` and ``child.inquire``).

        Raises:
            SessionCrashed: the process died. SessionTimeout: it gave no answer in time and was ended.
            OutOfMemory: it went over its memory, or could not get what it needed.
            LightenError: what was raised inside, by class and message.
        """
        asking = self.busy  # what hears an event may ask something in between
        self.begin(operation, deadline, **message)
        return self._answer(operation, deadline, on_event, asking)

    def begin(self, operation: str, deadline: float, **message: Any) -> None:
        """Send a message whose answer :meth:`finish` waits for. Nothing else is asked in between.

        Args:
            deadline: seconds in which it has to be taken. Raises what :meth:`ask` does.
        """
        self.check_running()
        self.busy = True
        try:
            self.channel.send(wire.pack({"op": operation, **message}), deadline)
        except TimeoutError:
            raise self.end_overdue(operation, deadline) from None
        except (BrokenPipeError, ConnectionResetError):
            raise self.end_dead(operation) from None

    def finish(self, operation: str, deadline: float) -> dict[str, Any]:
        """Wait for the answer to what :meth:`begin` sent. Raises what :meth:`ask` does."""
        return self._answer(operation, deadline, None, False)

    def _answer(
        self, operation: str, deadline: float, on_event: Callable[[Mapping[str, Any]], object] | None, busy: bool
    ) -> dict[str, Any]:
        """See :meth:`ask`. busy: whether something else waits for an answer, too."""
        self.check_running()
        try:
            until = monotonic() + deadline
            line = self.channel.line(until)
            while line:
                told = wire.unpack(line)
                if not line.startswith(wire.EVENT):
                    if self._talk is None or told.get("to") != self._talk.operation:
                        break
                    self._talk.end(told)  # it failed while it was on its way to what is asked
                    line = self.channel.line(until)
                    continue
                if self._talk is not None and on_event is None:
                    self._talk.events.append(told["event"])  # what it does all the while tells of itself
                answer = on_event(told["event"]) if on_event is not None else None
                if told.get("asks"):
                    self.socket.sendall(wire.pack({"answer": bool(answer)}))
                line = self.channel.line(until)
            reply = wire.unpack(line) if line else None
            if reply is not None and wire.ARRAYS in reply:
                behind = self.channel.read(wire.bytes_behind(reply), until)
                reply[wire.ARRAYS] = wire.unpack_arrays(reply[wire.ARRAYS], behind)
        except TimeoutError:
            raise self.end_overdue(operation, deadline) from None
        except (BrokenPipeError, ConnectionResetError):
            reply = None
        if reply is None:
            raise self.end_dead(operation)
        self.busy = busy
        if "error" in reply:
            raise wire.unpack_error(reply["error"])
        reply.pop("to", None)
        return reply

    def converse(self, operation: str) -> Conversation:
        """Begin an operation that goes on until the process ends, is told things while it runs, and tells what it does.

        Other operations can be asked meanwhile (:meth:`ask`).

        Raises:
            SessionCrashed: the process is not running.
        """
        self.check_running()
        self._talk = Conversation(self, self.channel, operation, self._talked)
        self._talk.tell(op=operation)
        return self._talk

    def _talked(self) -> None:
        """A conversation is over."""
        self._talk = None

    def check_running(self) -> None:
        """Raises SessionCrashed, or what it has failed of, where the process is not running."""
        if self._process is None:
            raise self.failure or SessionCrashed("The child process is not running.")

    def kill(self) -> None:
        """End the process at once, from any thread: whoever waits for its answer hears that it died."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process and all it started; closing twice is allowed."""
        if self._process is None:
            return
        if not self.busy:
            with contextlib.suppress(OSError, CandidateFailed):  # it is ended in any case
                self.channel.send(wire.pack({"op": "close"}), GRACE_SECONDS)
                until = monotonic() + GRACE_SECONDS
                while self.channel.line(until):
                    continue
        self._reap()

    def excess(self) -> str:
        """What is to be said where it holds more memory than it may; empty where it does not."""
        held = resident_bytes(self.pid)
        self.peak = max(self.peak, held)
        if held <= self._limit:
            return ""
        return f"The child process held {held / 1e6:.0f} MB, more than its {self._limit / 1e6:.0f} MB, and was ended."

    def end(self, kind: type[CandidateFailed], seen: str) -> CandidateFailed:
        """End the process and all it started, which takes a moment; it fails from now on with what is returned.

        Args:
            kind, seen: of the error, which gets the last words of the process, too.
        """
        self._reap()
        words = last_lines(self._words)
        self.failure = kind(f"{seen} Its last words: {words}" if words else seen)
        return self.failure

    def end_overdue(self, operation: str, deadline: float) -> CandidateFailed:
        """End a process that has not answered within ``deadline`` seconds; see :meth:`end`."""
        seen = f"The child process did not answer within {deadline:.3g} s while it {_doing(operation)}, and was ended."
        return self.end(SessionTimeout, seen)

    def end_stalled(self, operation: str, patience: float) -> CandidateFailed:
        """End a process that has taken nothing for ``patience`` seconds, nor told anything; see :meth:`end`."""
        seen = f"The child process took nothing for {patience:.3g} s while it {_doing(operation)}, and was ended."
        return self.end(SessionTimeout, seen)

    def end_dead(self, operation: str) -> CandidateFailed:
        """Find out why a process has ended; see :meth:`end`.

        Args:
            operation: that it was asked; empty for none.
        """
        code = self._reap()
        cause = f"ended with exit code {code}"
        if code < 0:
            number = signal.Signals(-code)
            cause = f"was ended by {number.name} ({signal.strsignal(number)})"
        seen = f"The child process {cause} while it {_doing(operation)}."
        if code == -signal.SIGKILL and self.peak > allowed_memory() / 2:
            return self.end(OutOfMemory, f"{seen} It held {self.peak / 1e6:.0f} MB.")
        spoken = wire.OUT_OF_MEMORY.search(last_lines(self._words))
        return self.end(OutOfMemory if spoken else SessionCrashed, seen)

    def _watch_memory(self) -> None:
        if seen := self.excess():
            raise self.end(OutOfMemory, seen)

    def _reap(self) -> int:
        """End the whole group at once and return the exit code; a process that already ended keeps its own."""
        process = self._process
        if process is None:
            return 0
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # It is not reaped yet, so the number still is its own and names no other group.
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        end = os.fstat(self._log.fileno()).st_size
        self._words = os.pread(self._log.fileno(), LOG_BYTES, max(0, end - LOG_BYTES))
        self._log.close()
        self.channel.close()
        self._process = None
        return code


def call(
    function: str,
    *,
    threads: int = 1,
    deadline: float = 120.0,
    venv: EnvironmentSpec | None = None,
    on_event: Callable[[Mapping[str, Any]], object] | None = None,
    **arguments: Any,
) -> Any:
    """Call ``package.module:function`` in a process of its own; arguments and answer are plain JSON values.

    Args:
        on_event: called with what the function emits meanwhile.

    Raises:
        StepFailed: the function raised an error that is not lighten's.
        MissingEnvironment: see ``ChildProcess.start``.
        SessionCrashed, SessionTimeout, OutOfMemory, LightenError: see ``ChildProcess.ask``.
    """
    child = ChildProcess(threads=threads, patient=True, venv=venv)
    child.start()
    try:
        return child.ask("call", deadline, on_event=on_event, function=function, arguments=arguments)["value"]
    finally:
        child.close()


def variables(threads: int) -> dict[str, str]:
    """Environment of a child: the same threads for every runtime, no network, no telemetry, little chatter, a home."""
    count, home = str(threads), home_for_libraries()
    return {
        **({"HOME": str(home)} if home is not None else {}),
        **{f"{pool}_NUM_THREADS": count for pool in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "RAYON")},
        "VECLIB_MAXIMUM_THREADS": count,
        "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false",
        "ORT_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONUNBUFFERED": "1",
    }


def _doing(operation: str) -> str:
    return DOING[operation] if operation else "had nothing to do"


def last_lines(log: bytes) -> str:
    """The end of a log in one line; empty when nothing was written."""
    lines = [line.strip() for line in log.decode("utf-8", "replace").splitlines() if line.strip()]
    return " | ".join(lines[-LOG_LINES:])[-LOG_CHARACTERS:]
