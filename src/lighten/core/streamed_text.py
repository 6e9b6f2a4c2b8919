"""Text that comes in pieces of bytes: what of it is certain, while the rest is still being written."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class StreamedText:
    """The text of an answer as its tokens come. Only whole characters go out, and no part of what ends it.

    Args:
        until: texts that end it; the one that comes first, which is no part of it.

    Attributes:
        ended: whether one of them came.
    """

    def __init__(self, until: Sequence[str] = ()) -> None:
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._until = [text for text in until if text]
        self._held = ""
        self.ended = False

    def push(self, piece: bytes) -> str:
        """The bytes of one more token. Returns what is certain since: a character that is not whole yet is held back,
        and so is what one of the texts may begin with."""
        return "" if self.ended else self._certain(self._held + self._characters.decode(piece))

    def finish(self) -> str:
        """Nothing follows. Returns what was held back; a character that never became whole is U+FFFD."""
        if self.ended:
            return ""
        found = self._certain(self._held + self._characters.decode(b"", final=True))
        rest, self._held = "" if self.ended else self._held, ""
        return found + rest

    def _certain(self, text: str) -> str:
        places = [place for one in self._until if (place := text.find(one)) >= 0]
        if places:
            self.ended, self._held = True, ""
            return text[: min(places)]
        kept = max((_beginning(text, one) for one in self._until), default=0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]


def _beginning(text: str, wanted: str) -> int:
    """How many of the last characters of ``text`` are the first ones of ``wanted``, but not all of it."""
    longest = min(len(text), len(wanted) - 1)
    return next((count for count in range(longest, 0, -1) if text.endswith(wanted[:count])), 0)
