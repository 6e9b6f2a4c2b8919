"""Encoder: text to token ids with the native ``tokenizers`` library alone; no transformers, no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import DataError, ModelError, UnsafeFile
from lighten.nets.json_file import read_object

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

TOKENIZER, SETTINGS = "tokenizer.json", "tokenizer_config.json"
LONGEST = 512
"""Tokens per input when nothing asks for fewer."""
OFFSET_POSITIONS = ("roberta", "camembert", "longformer", "mpnet")
"""Model families (part of ``model_type``) that keep two rows of their position table for padding."""


class Encoder:
    """The tokenizer of a model, with its limit in tokens.

    Calling it does not depend on the folder it was opened from. It uses the threads that ``TOKENIZERS_PARALLELISM`` and
    ``RAYON_NUM_THREADS`` allow; both are read by the native library, so set them before the first call.

    Attributes:
        max_tokens: longest encoding, special tokens included; longer inputs are truncated.
        pad_id: id of the padding token.
        vocabulary_size: number of ids, added tokens included.
    """

    def __init__(self, tokenizer: str, *, max_tokens: int, pad_id: int, settings: Mapping[str, Any]) -> None:
        """Args: the text of ``tokenizer.json``; the limit; the padding id; the content of ``tokenizer_config.json``.

        Raises:
            ModelError: ``tokenizer`` is not a tokenizer, or ``max_tokens`` leaves no room for text.
        """
        self.max_tokens, self.pad_id, self.settings = max_tokens, pad_id, dict(settings)
        self.source = tokenizer
        self._native = _native(tokenizer)
        if max_tokens <= self._native.num_special_tokens_to_add(False):
            raise ModelError(
                f"A limit of {max_tokens} tokens leaves no room for text.",
                allowed=f"more than {self._native.num_special_tokens_to_add(False)}",
            )
        self._native.no_padding()
        self._native.enable_truncation(max_tokens)
        self.vocabulary_size = int(self._native.get_vocab_size(with_added_tokens=True))

    @classmethod
    def open(cls, folder: Path | str, *, max_tokens: int | None = None) -> Encoder:
        """Read ``tokenizer.json`` (and ``tokenizer_config.json``, ``config.json`` when they are there) from ``folder``.

        Args:
            max_tokens: limit in tokens; the smallest of it, the tokenizer's, the model's positions and 512 is used.

        Raises:
            ModelError: there is no ``tokenizer.json`` or one of the files cannot be read.
            UnsafeFile: the tokenizer wants to run code of its own (``auto_map``).
        """
        folder = Path(folder)
        try:
            source = (folder / TOKENIZER).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{folder} has no {TOKENIZER} that can be read ({error}).",
                allowed="a fast tokenizer",
                fix=f"save it once more: AutoTokenizer.from_pretrained({str(folder)!r}).save_pretrained(...)",
            ) from error
        settings, config = read_object(folder / SETTINGS, missing={}), read_object(folder / "config.json", missing={})
        if "auto_map" in settings:
            raise UnsafeFile(
                f"{folder / SETTINGS} names Python code to run (auto_map).",
                allowed="tokenizers without code of their own",
            )
        limits = [n for n in (settings.get("model_max_length"), _positions(config)) if isinstance(n, int) and n > 0]
        limit = min([*limits, LONGEST if max_tokens is None else max_tokens, LONGEST])
        return cls(source, max_tokens=limit, pad_id=_pad_id(_native(source), settings, config), settings=settings)

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, special tokens included, truncated to ``max_tokens``, not padded.

        Raises:
            DataError: a text that is not a string, or that holds half of a surrogate pair.
        """
        # One text goes the same way: encode() would compute character offsets that nobody reads (15 % slower).
        return [encoding.ids for encoding in self._encoded(texts)]

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of ``texts`` are longer than ``max_tokens``."""
        return sum(bool(encoding.overflowing) for encoding in self._encoded(texts))

    def _encoded(self, texts: Sequence[str]) -> list[Encoding]:
        try:
            return self._native.encode_batch_fast(list(texts))
        except TypeError as error:
            number, text = next((i, t) for i, t in enumerate(texts) if not _is_text(t))
            raise DataError(
                f"Input {number} is not text that can be encoded: {text!r:.60}.", allowed="a string"
            ) from error

    def with_limit(self, max_tokens: int) -> Encoder:
        """The same tokenizer with a limit of ``max_tokens`` tokens, which may only be lower."""
        limit = min(max_tokens, self.max_tokens)
        return Encoder(self.source, max_tokens=limit, pad_id=self.pad_id, settings=self.settings)

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files; ``open`` of ``folder`` gives the same ids, limit and padding id."""
        (folder / TOKENIZER).write_text(self.source, encoding="utf-8")
        settings = {**self.settings, "model_max_length": self.max_tokens}
        pad = self._native.id_to_token(self.pad_id)
        if pad is not None:
            settings["pad_token"] = pad
        text = json.dumps(settings, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")


def _native(source: str) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(source)
    except Exception as error:
        raise ModelError(f"{TOKENIZER} is not a tokenizer that can be read ({error}).") from error


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _positions(config: Mapping[str, Any]) -> int | None:
    """Longest input in tokens that the position table of a model allows; None when it has none."""
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int):
        return None
    offset = 2 if any(family in str(config.get("model_type", "")) for family in OFFSET_POSITIONS) else 0
    return positions - offset


def _pad_id(native: Tokenizer, settings: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """The first that is known: padding token of the settings, of the tokenizer, id in the model's config, 0."""
    token = settings.get("pad_token")
    name = token.get("content") if isinstance(token, dict) else token
    found = native.token_to_id(name) if isinstance(name, str) else None
    if found is None and native.padding:
        found = native.padding["pad_id"]
    if found is None:
        found = config.get("pad_token_id")
    return found if isinstance(found, int) else 0
