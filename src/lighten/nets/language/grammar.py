"""Answers that keep a JSON Schema: which tokens may come next, worked out by llguidance.

A schema that llguidance does not fully know is refused: what is accepted is kept to the letter.

Source: https://github.com/guidance-ai/llguidance
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core.errors import BuildFailed, InputError, MissingExtra
from lighten.nets.language.schema_check import check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

WAYS = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""JSON is written with one space after each comma and colon: a model that may write blanks can write them for ever."""
BYTES = 256
SILENT = 0
"""Level of llguidance's messages."""


def check_schema(schema: str) -> None:
    """Refuse what no answer can be held to.

    Args:
        schema: JSON Schema, as JSON.

    Raises:
        InputError: too large, no schema, one that nothing keeps, or with words that are not known.
        MissingExtra: llguidance is not installed.
    """
    matcher = _library().LLMatcher
    failed, words = matcher.validate_grammar_with_warnings(_grammar(schema))
    if failed or words:
        said = " ".join(" ".join(words).split())[:300]
        raise InputError(f"The JSON Schema cannot be kept: {said.rstrip('.')}.", allowed="what llguidance knows")
    try:
        _bytes().guide(schema).allowed(BYTES + 1)
    except BuildFailed as error:
        raise InputError("The JSON Schema cannot be kept: there is no JSON that keeps it.") from error


def prepare() -> None:
    """Import llguidance, and make what every check needs.

    Raises:
        MissingExtra: it is not installed.
    """
    _bytes()


@cache
def _bytes() -> Vocabulary:
    """A vocabulary of bytes and an end: what cannot begin in these cannot begin in any."""
    return Vocabulary([*(bytes([byte]) for byte in range(BYTES)), b""], [BYTES])


def _grammar(schema: str) -> str:
    check_size(schema)
    try:
        made = json.loads(schema)
        if not isinstance(made, dict):
            raise ValueError("it is no object")
        return str(_library().LLMatcher.grammar_from_json_schema(schema, overrides=WAYS))
    except (ValueError, RecursionError) as error:
        raise InputError(f"The JSON Schema cannot be read: {error}.", allowed="an object of JSON Schema") from error


def _library() -> Any:
    try:
        import llguidance
    except ImportError as error:
        raise MissingExtra("An answer that keeps a JSON Schema", "serve", str(error)) from error
    return llguidance


class Vocabulary:
    """The tokens of a model as llguidance has them; made once for a session, some tenths of a second for a large one.

    Args:
        pieces: bytes of every token, by its number; none for a control token.
        endings: tokens that end an answer, at least one.

    Raises:
        MissingExtra: llguidance is not installed. InputError: no token ends an answer.
    """

    def __init__(self, pieces: Sequence[bytes], endings: Sequence[int]) -> None:
        if not endings:
            raise InputError("No token of this model ends an answer, and none can be held to a JSON Schema.")
        self._library = _library()
        self.size, self.endings = len(pieces), np.array(sorted(endings))
        self.eos_token_id, self.bos_token_id = int(self.endings[0]), None
        # What stands for no text is never allowed by a grammar; its name only has to be unlike any other's.
        special = [token for token, piece in enumerate(pieces) if not piece]
        self.special_token_ids = sorted({*special, *map(int, endings)})
        names = {token: f"<|{token}|>".encode() for token in self.special_token_ids}
        self.tokens = [names.get(token, piece) for token, piece in enumerate(pieces)]
        self._ids = {piece: token for token, piece in enumerate(pieces) if piece and token not in names}
        self._longest = max(map(len, self._ids), default=0)
        self._made = self._library.LLTokenizer(self._library.TokenizerWrapper(self))

    def __call__(self, text: str | bytes) -> list[int]:
        """Tokens of a text, the longest that fits at each place; bytes that there is no token for are left out.

        Where only one text can follow, it is written in these tokens.
        """
        data, found, at = text.encode() if isinstance(text, str) else bytes(text), list[int](), 0
        while at < len(data):
            sizes = range(min(self._longest, len(data) - at), 0, -1)
            size = next((one for one in sizes if data[at : at + one] in self._ids), 0)
            if size:
                found.append(self._ids[data[at : at + size]])
            at += size or 1
        return found

    def guide(self, schema: str) -> Guide:
        """What leads one answer along a schema.

        Raises:
            InputError: it cannot be kept.
        """
        matcher = self._library.LLMatcher(self._made, _grammar(schema), log_level=SILENT)
        if matcher.is_error():
            raise InputError(f"The JSON Schema cannot be kept: {' '.join(matcher.get_error().split())[:300]}.")
        return Guide(matcher, self)


class Guide:
    """Which tokens may come next in one answer."""

    def __init__(self, matcher: Any, vocabulary: Vocabulary) -> None:
        self._matcher, self._vocabulary = matcher, vocabulary

    @property
    def over(self) -> bool:
        """Whether the answer is whole, and nothing can follow."""
        return bool(self._matcher.is_stopped())

    def allowed(self, width: int) -> NDArray[np.bool_]:
        """For each of ``width`` tokens, whether it may come next; where the answer is whole, any that ends it.

        Raises:
            BuildFailed: nothing may, though the answer is not whole.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        found = np.zeros(width, bool)
        known = np.unpackbits(bits, bitorder="little")[: min(width, self._vocabulary.size)]
        found[: len(known)] = known
        endings = self._vocabulary.endings
        found[endings] = self._matcher.is_accepting()
        if self._matcher.is_error() or not found.any():
            raise BuildFailed(f"No token goes on with the JSON: {self._matcher.get_error() or 'none is allowed'}.")
        return found

    def take(self, token: int) -> None:
        """This one came.

        Raises:
            BuildFailed: it was not allowed.
        """
        if not self._matcher.consume_token(token):
            raise BuildFailed(f"The token {token} does not go on with the JSON: {self._matcher.get_error()}.")
