"""What sessions share whose tokens are those of a Hugging Face tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lighten.engines._stepping import SteppingSession

if TYPE_CHECKING:
    from lighten.nets.language.network import Tokens


class TokenSession(SteppingSession):
    """A language session that knows text only by its tokenizer.

    Args:
        tokens: the tokenizer.
        eos: ``eos_token_id`` of the model's settings: a number, several, or None.
    """

    def __init__(self, tokens: Tokens, eos: int | list[int] | None) -> None:
        self._tokens, self._ends = tokens, tokens.endings(eos)
        self._size = tokens.size

    @property
    def vocabulary(self) -> int:
        """See :attr:`LanguageSession.vocabulary`."""
        return self._size

    def encode(self, text: str, *, begin: bool = True, special: bool = False) -> list[int]:
        """See :meth:`LanguageSession.encode`."""
        if begin:
            return self._tokens.begun(text, control=special)
        return self._tokens.control(text) if special else self._tokens.plain(text)

    def pieces(self, tokens: Sequence[int]) -> list[bytes]:
        """See :meth:`LanguageSession.pieces`."""
        return self._tokens.pieces(tokens)

    def ends(self, token: int) -> bool:
        """See :meth:`LanguageSession.ends`."""
        return token in self._ends
