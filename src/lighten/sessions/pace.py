"""Pace: how much of a long list of inputs a session is asked at a time, and how long it may take to answer."""

from __future__ import annotations

from collections.abc import Sequence

FIRST_CHARACTERS, FIRST_ROWS = 1 << 12, 16
"""The first piece, when nothing is known of the session: at most so much, but one row at the least."""
MOST_CHARACTERS, MOST_ROWS = 1 << 22, 4096
"""The largest piece: enough that batching by length loses nothing, and that somebody who waits sees it move."""
SECONDS = 20.0
"""What a piece is meant to take; less where a request may take less than ``SHARE`` times that."""
SHARE = 6.0
GROWTH = 4
"""How many times larger than the largest before it a piece may be: its rows may be of another kind."""
SLACK = 10.0
"""How many times longer than expected a request may take before the session counts as hung."""
SECONDS_A_CHARACTER = 0.03
"""What is granted while nothing is known: some eight tokens a second, a large model on a small, busy machine."""


class Pace:
    """What the last request of a session took, and what follows for the next one.

    Both characters and rows are counted, and the dearer estimate is believed: of texts that a model cuts, characters
    cost nothing, and of short ones, rows do not tell.

    Args:
        base: seconds that any request may take, however little it asks.
    """

    def __init__(self, base: float) -> None:
        self.base = base
        self._each = (0.0, 0.0)
        self._largest = (0, 0)

    @property
    def known(self) -> bool:
        """Whether anything was answered yet."""
        return self._largest != (0, 0)

    def learn(self, characters: int, rows: int, seconds: float) -> None:
        """A request of so much took so long."""
        if not rows:
            return
        self._each = seconds / max(characters, 1), seconds / rows
        self._largest = max(self._largest[0], characters), max(self._largest[1], rows)

    def patience(self, characters: int, rows: int) -> float:
        """Seconds that a request of so much may take."""
        if not self.known:
            return self.base + SECONDS_A_CHARACTER * characters
        return max(self.base, SLACK * self._expected(characters, rows))

    def end(self, sizes: Sequence[int], begin: int) -> int:
        """Where the piece that begins at ``begin`` ends, one row later at the least.

        Args:
            sizes: characters of every input.
        """
        most_characters, most_rows = FIRST_CHARACTERS, FIRST_ROWS
        seconds = min(SECONDS, self.base / SHARE)
        if self.known:
            most_characters = min(MOST_CHARACTERS, max(FIRST_CHARACTERS, GROWTH * self._largest[0]))
            most_rows = min(MOST_ROWS, GROWTH * self._largest[1])
        characters = rows = 0
        for size in sizes[begin:]:
            characters, rows = characters + size, rows + 1
            over = characters > most_characters or rows > most_rows
            if rows > 1 and (over or self._expected(characters, rows) > seconds):
                return begin + rows - 1
        return len(sizes)

    def _expected(self, characters: int, rows: int) -> float:
        each_character, each_row = self._each
        return max(each_character * characters, each_row * rows)
