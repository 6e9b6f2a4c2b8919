"""Confined: functions that look at what strangers wrote, in a process that is ended when it loops or swells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lighten.core.errors import CandidateFailed, OutOfMemory, SessionTimeout
from lighten.isolate.process import ChildProcess

START_SECONDS = 60.0
"""For starting the process and importing what it needs, which is no stranger's doing."""


class Confined:
    """One process, started when something is asked, and again after it was ended. Not for several threads at once.

    Args:
        prepare: ``package.module:function`` that is called first, without arguments.
        memory: bytes of resident memory at which it is ended.
    """

    def __init__(self, prepare: str, *, memory: int) -> None:
        self.memory = memory
        self._prepare = prepare
        self._child: ChildProcess | None = None

    def call(self, function: str, deadline: float, arguments: Mapping[str, Any]) -> Any:
        """Call ``package.module:function`` there.

        Args:
            deadline: seconds that it may take.

        Raises:
            CandidateFailed: it took too much time or memory, or its process down. LightenError: what it raises.
        """
        if self._child is None:
            self._child = ChildProcess(threads=1, memory=self.memory)
            self._child.start()
            self._child.ask("call", START_SECONDS, function=self._prepare, arguments={})
        try:
            return self._child.ask("call", deadline, function=function, arguments=dict(arguments))["value"]
        except (CandidateFailed, KeyboardInterrupt):
            self.close()  # what it still answers would be taken for the answer to the next question
            raise

    def close(self) -> None:
        """End the process. Closing twice is allowed."""
        child, self._child = self._child, None
        if child is not None:
            child.close()


def did(error: CandidateFailed, deadline: float, memory: int) -> str:
    """What a function did that was ended, as the end of a sentence."""
    if isinstance(error, SessionTimeout):
        return f"did not end within {deadline:g} s, and was ended"
    if isinstance(error, OutOfMemory):
        return f"wanted more than {memory >> 20} MB of memory, and was ended"
    return f"took its process down ({shown(error.seen)})"


SHOWN = 300
"""Characters of a stranger's own words that an error repeats."""


def shown(words: str) -> str:
    """A stranger's words in one line that can be printed: they may hold anything, escape sequences too."""
    line = "".join(c if c.isprintable() else " " for c in words[: 4 * SHOWN])
    return " ".join(line.split())[:SHOWN]
