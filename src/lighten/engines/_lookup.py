"""Guesses at what comes next, from what stood there before: prompt lookup, the speculation that needs no second model.

Source: Saxena, "Prompt Lookup Decoding" (2023); Yang et al., "Inference with Reference" (2023).
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST, SHORTEST = 3, 2
"""Tokens of the ending that is looked up, the longer ones first."""


class Lookup:
    """The tokens of one sequence, and where each of its n-grams was followed by something.

    Args:
        tokens: of the prompt.
    """

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        for token in tokens:
            self.add(token)

    def add(self, token: int) -> None:
        """One token more at the end."""
        for length in range(SHORTEST, LONGEST + 1):
            if len(self._tokens) >= length:
                self._after[tuple(self._tokens[-length:])] = len(self._tokens)
        self._tokens.append(token)

    def guess(self, most: int) -> list[int]:
        """Up to ``most`` tokens that followed the last time that the text ended like this; empty when it never did."""
        for length in range(LONGEST, SHORTEST - 1, -1):
            at = self._after.get(tuple(self._tokens[-length:]))
            if at is not None:
                return self._tokens[at : at + most]
        return []
