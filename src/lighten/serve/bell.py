"""Bell: wakes a thread that waits for a file descriptor, from any other one."""

from __future__ import annotations

import contextlib
import os


class Bell:
    """Rung by any thread; one thread waits for it beside other things, and hushes it before it looks what is new."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closed = False

    def fileno(self) -> int:
        """What can be read once it has rung."""
        return self._out

    def ring(self) -> None:
        """Wake who waits; ringing what rings or is closed does nothing."""
        if not self._closed:
            with contextlib.suppress(BlockingIOError):
                os.write(self._in, b"\0")

    def hush(self) -> None:
        """It has been heard."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._out, 4096)) == 4096:
                continue

    def close(self) -> None:
        """It is needed no more. Closing twice is allowed."""
        if not self._closed:
            self._closed = True
            os.close(self._in)
            os.close(self._out)
