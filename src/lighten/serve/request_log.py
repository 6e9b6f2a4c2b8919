"""Logs of requests: a line for each, in JSON or as text, written by a thread that no request waits for."""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lighten.core.errors import InputError
from lighten.core.home import expanded
from lighten.serve.metrics import Family
from lighten.serve.record import Record

log = logging.getLogger("lighten.serve")
STDOUT = "-"
MOST = 20_000
"""Lines that may wait to be written: what comes while a disk or a pipe takes nothing is counted, and not kept."""
TOGETHER = 0.1
"""Seconds for which lines are gathered before they are written."""
CLOSING = 5.0
"""Seconds that the last lines have to be written in."""
HEAD = ("time", "status", "method", "route")
"""What a line of text begins with."""


def as_json(fields: Mapping[str, Any]) -> str:
    """A line as an object of JSON."""
    return _encode({**fields, "time": time_told(fields["time"])})


def as_text(fields: Mapping[str, Any]) -> str:
    """A line as people read it: when, what came of it, what it was, then names and values.

    >>> as_text({"time": 0.0, "status": 200, "method": "POST", "route": "/predict/{name}", "model": "m"})
    '1970-01-01T00:00:00.000Z 200 POST /predict/{name} model=m'
    """
    head = [time_told(fields["time"]), *(_plain(fields[name]) for name in HEAD[1:] if name in fields)]
    rest = [f"{name}={_plain(value)}" for name, value in fields.items() if name not in HEAD]
    return " ".join((*head, *rest))


FORMATS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"json": as_json, "text": as_text}


def time_told(seconds: float) -> str:
    """A time by ``time.time`` as ISO 8601 has it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class RequestLog:
    """A recorder that writes a line for each request.

    A file that is moved or removed meanwhile is opened anew, so whatever rotates logs may do so. What cannot be written
    is counted, and said once on stderr until it can be again.

    Args:
        target: path of a file that is added to, or ``-`` for stdout. form: a name in ``FORMATS``.

    Attributes:
        written, dropped: lines.

    Raises:
        InputError: no such format, or a file that cannot be written.
    """

    def __init__(self, target: str | Path, form: str = "json") -> None:
        if form not in FORMATS:
            raise InputError(f"The format of the log is {form!r}.", allowed=", ".join(FORMATS))
        self.written = self.dropped = 0
        self._format = FORMATS[form]
        self._path = None if str(target) == STDOUT else expanded(target)
        self._waiting: deque[Record] = deque()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._failing = self._torn = False
        try:
            self._file = self._open()
        except OSError as error:
            raise InputError(
                f"The log {target} cannot be written: {error.strerror}.", fix="--log FILE, or -"
            ) from error
        self._thread = threading.Thread(target=self._work, name="request-log", daemon=True)
        self._thread.start()

    def __call__(self, record: Record) -> None:
        """A request is over."""
        if len(self._waiting) >= MOST:
            self.dropped += 1
            return
        self._waiting.append(record)
        if not self._wake.is_set():
            self._wake.set()

    def families(self) -> Sequence[Family]:
        """What ``/metrics`` has of it."""
        return (
            Family("lighten_log_lines_total", "counter", "Lines of the log of requests.", [("", self.written)]),
            Family("lighten_log_dropped_total", "counter", "Lines that could not be written.", [("", self.dropped)]),
        )

    def close(self) -> None:
        """Write what waits, and end. Closing twice is allowed."""
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSING)

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._closing.wait(TOGETHER)
            self._wake.clear()
            self._write_waiting()
        self._write_waiting()
        os.close(self._file)

    def _write_waiting(self) -> None:
        lines = []
        while self._waiting:
            lines.append(self._format(self._waiting.popleft().fields()))
        if not lines:
            return
        left = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        try:
            self._follow()
            if self._torn:
                left = b"\n" + left  # what was written of a line before the disk was full stands alone
            while left:
                left = left[self._take(left) :]
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.error("the log of requests cannot be written: %s; lines are lost, and counted", error.strerror)
            self._failing = True
        lost = min(len(lines), left.count(b"\n"))
        self.written += len(lines) - lost
        self.dropped += lost

    def _open(self) -> int:
        if self._path is None:
            sys.stdout.flush()
            return os.dup(sys.stdout.fileno())
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o640)

    def _follow(self) -> None:
        """Open the file anew where another one, or none, lies there now."""
        if self._path is None:
            return
        try:
            there = self._path.stat()
            same = os.path.samestat(there, os.fstat(self._file))
        except FileNotFoundError:
            same = False
        if not same:
            opened = self._open()
            os.close(self._file)
            self._file, self._torn = opened, False

    def _take(self, data: bytes) -> int:
        """Write as much of it as is taken. Returns how much."""
        try:
            count = os.write(self._file, data)
        except BlockingIOError:  # a pipe whose reader is slow
            waiting = select.poll()
            waiting.register(self._file, select.POLLOUT)
            waiting.poll(TOGETHER * 1e3)
            return 0
        self._torn = data[count - 1 : count] != b"\n"
        return count


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if text.isascii() and text.isprintable() and " " not in text and '"' not in text else json.dumps(text)
