"""Text to token ids with the native ``tokenizers`` library alone; no transformers, no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lighten.core.coverage import Coverage
from lighten.core.errors import DataError, ModelError, UnsafeFile
from lighten.core.item import Item, texts
from lighten.core.reader import Reader
from lighten.data.buckets import pad
from lighten.files.json_file import read_object
from lighten.files.safefile import read_header
from lighten.readers._plain_text import plain_text
from lighten.readers._vocabulary import PAD, tokenizer_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

    from lighten.core.plain import PlainReading

TOKENIZER, SETTINGS = "tokenizer.json", "tokenizer_config.json"
IDS, MASK = "input_ids", "attention_mask"
PROBE = (
    "It works.",
    "The first half was slow, but what followed made up for it, and the ending stayed with me for days.",
    "",
    "Don't buy: it broke after 2 weeks, nobody answered my e-mails, and the refund (if any) is still on its way!",
)
UNLIMITED = 10**20
"""transformers writes a ``model_max_length`` above this for a tokenizer that sets no limit."""
UNSAID = 512
"""Tokens per input when neither the tokenizer nor the model sets a limit."""
COUNTED, PIECE = 20_000, 1_000
"""Texts that coverage is counted on, and texts that are encoded at a time for it."""
NO_CHARACTER = "\U0010fffd"
"""A code point of private use, which no vocabulary holds."""
FILLED = "lighten_filled"
"""Key of ``tokenizer_config.json`` that says that every text is padded to the limit, in front."""
LEARNT = 512
"""Most tokens of a text that a network learns from, or is calibrated on: what that takes of memory and time grows with
the square of the length. Answers read as much as the model does."""
POSITION_TABLES = ("position_embeddings.weight", "embed_positions.weight", "wpe.weight")
"""How the name of a table of positions ends, which has a row for each place in a text."""
COUNTED_FROM_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Families whose positions begin after the id of the padding token: so many rows of their table and one more are never
used for text."""


class Encoder(Reader[list[int]]):
    """The tokenizer of a model, with its limit in tokens.

    Calling it does not depend on the folder it was opened from. It uses the threads that ``TOKENIZERS_PARALLELISM`` and
    ``RAYON_NUM_THREADS`` allow; both are read by the native library, so set them before the first call.

    Attributes:
        max_tokens: longest encoding, special tokens included; longer inputs are truncated.
        side: ``right`` or ``left``, the end of a longer text that is cut off.
        special: how many special tokens are put around a text.
        pad_id: id of the padding token.
        vocabulary_size: number of ids, added tokens included.
        unknown_id: id of the token that stands for what the vocabulary lacks; None where there is no such token.
    """

    example: ClassVar[str] = "a text to classify"
    pads: ClassVar[bool] = True

    def __init__(self, tokenizer: str, *, max_tokens: int, pad_id: int, settings: Mapping[str, Any]) -> None:
        """Args: the text of ``tokenizer.json``; the limit; the padding id; the content of ``tokenizer_config.json``.

        Raises:
            ModelError: ``tokenizer`` is not a tokenizer, or ``max_tokens`` leaves no room for text.
        """
        self.max_tokens, self.pad_id, self.settings = max_tokens, pad_id, dict(settings)
        self.source = tokenizer
        self._native = _native(tokenizer)
        self.special = int(self._native.num_special_tokens_to_add(False))
        if max_tokens <= self.special:
            raise ModelError(
                f"A limit of {max_tokens} tokens leaves no room for text: {self.special} are special tokens.",
                allowed=f"more than {self.special}",
            )
        self.side = _truncation_side(self._native, self.settings)
        self._native.no_padding()
        self._native.enable_truncation(max_tokens, direction=self.side)
        self._native.encode_special_tokens = bool(self.settings.get("split_special_tokens"))
        self.vocabulary_size = int(self._native.get_vocab_size(with_added_tokens=True))
        self.unknown_id = _unknown_id(self._native)

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """See :meth:`Reader.is_in`."""
        return (folder / TOKENIZER).is_file()

    @classmethod
    def open(cls, folder: Path | str, *, max_tokens: int | None = None) -> Encoder:
        """Read ``tokenizer.json`` (and ``tokenizer_config.json``, ``config.json`` when they are there) from ``folder``.

        Args:
            max_tokens: limit in tokens, where fewer are wanted than the model reads (see :func:`limit_of`).

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
        cls = _Filled if settings.get(FILLED) else cls
        if "auto_map" in settings:
            raise UnsafeFile(
                f"{folder / SETTINGS} names Python code to run (auto_map).",
                allowed="tokenizers without code of their own",
            )
        limit = limit_of(folder, settings, config)
        native = _native(source)
        return cls(
            source,
            max_tokens=limit if max_tokens is None else min(limit, max_tokens),
            pad_id=_pad_id(native, settings, config),
            settings=settings,
        )

    def __call__(self, texts: Sequence[Item]) -> list[list[int]]:
        """Ids of each text, special tokens included, truncated to ``max_tokens``, not padded.

        Raises:
            DataError: a text that is not a string, or that holds half of a surrogate pair.
        """
        # One text goes the same way: encode() would compute character offsets that nobody reads (15 % slower).
        # A decoder's tokenizer may make nothing of an empty text, and no network answers to nothing.
        return [encoding.ids or [self.pad_id] for encoding in self._encoded(texts)]

    def size(self, example: list[int]) -> int:
        """See :meth:`Reader.size`: its tokens."""
        return len(example)

    def batch(self, examples: Sequence[list[int]], size: int | None = None) -> dict[str, NDArray[Any]]:
        """See :meth:`Reader.batch`. Returns ids and the mask of what is no padding, int64 [batch, tokens].

        ``size`` is cut to what the model reads.
        """
        if len(examples) == 1 and size is None:
            ids = np.array(examples, np.int64)
            return {IDS: ids, MASK: np.ones_like(ids)}
        ids, mask = pad(examples, self.pad_id, None if size is None else min(size, self.max_tokens))
        return {IDS: ids, MASK: mask}

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """See :meth:`Reader.axes`."""
        return {IDS: ("batch", "tokens"), MASK: ("batch", "tokens")}

    def probe(self) -> list[list[int]]:
        """See :meth:`Reader.probe`: short, long and empty texts."""
        return self(PROBE)

    def plain(self) -> PlainReading:
        """See :meth:`Reader.plain`: with ``tokenizers`` alone."""
        return plain_text(self, filled=False)

    def samples(self, folder: Path) -> list[Item]:
        """See :meth:`Reader.samples`: the texts of the probe."""
        return list(PROBE)

    def token_of(self, token: int) -> str | None:
        """What the tokenizer calls an id; None for one that it does not know."""
        found: str | None = self._native.id_to_token(token)
        return found

    def truncated(self, texts: Sequence[Item]) -> int:
        """How many of ``texts`` are longer than ``max_tokens``."""
        return self.coverage(texts, most=len(texts)).cut

    def coverage(self, items: Sequence[Item], *, most: int = COUNTED) -> Coverage:
        """How much of some texts is read: how many are cut, and how many tokens are unknown.

        Args:
            most: texts that are counted; evenly spaced ones when there are more.

        Raises:
            DataError: see :meth:`__call__`.
        """
        count = min(len(items), most)
        chosen = [items[i * len(items) // count] for i in range(count)]
        cut = tokens = unknown = 0
        for start in range(0, count, PIECE):
            for encoding in self._encoded(chosen[start : start + PIECE]):
                ids = encoding.ids
                cut += bool(encoding.overflowing)
                tokens += len(ids) - self.special
                unknown += ids.count(self.unknown_id) if self.unknown_id is not None else 0
        return Coverage(count, cut, self.max_tokens, tokens, unknown, self.side)

    def _encoded(self, texts: Sequence[Item]) -> list[Encoding]:
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

    def with_padding(self, pad_id: int) -> Encoder:
        """The same tokenizer that pads with another token."""
        return Encoder(self.source, max_tokens=self.max_tokens, pad_id=pad_id, settings=self.settings)

    def for_learning(self) -> Encoder:
        """The same tokenizer with a limit of at most ``LEARNT`` tokens, for training and calibration."""
        return self if self.max_tokens <= LEARNT else self.with_limit(LEARNT)

    @classmethod
    def fitted(cls, items: Sequence[Item], wanted: Mapping[str, Any]) -> Encoder:
        """See :meth:`Reader.fitted`: byte pairs of the words of the texts; as long as nearly all of them are."""
        source, most = tokenizer_of(texts(items), wanted)
        pad_id = _native(source).token_to_id(PAD) or 0
        return cls(source, max_tokens=most, pad_id=pad_id, settings={"pad_token": PAD})

    def sizes(self) -> Mapping[str, Any]:
        """See :meth:`Reader.sizes`: ``vocabulary``, the number of ids, and ``length``, most tokens of a text."""
        return {"vocabulary": self.vocabulary_size, "length": self.max_tokens}

    def unmasked(self) -> Encoder:
        """See :meth:`Reader.unmasked`: every text as long as the limit, with padding in front, so that what is read
        last is text."""
        settings = {**self.settings, FILLED: True}
        return _Filled(self.source, max_tokens=self.max_tokens, pad_id=self.pad_id, settings=settings)

    def told(self) -> str:
        """See :meth:`Reader.told`."""
        return f"Texts are read as {self.vocabulary_size:,} tokens learned from train, up to {self.max_tokens} of each."

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files; ``open`` of ``folder`` gives the same ids, limit and padding id."""
        (folder / TOKENIZER).write_text(self.source, encoding="utf-8")
        settings = {**self.settings, "model_max_length": self.max_tokens}
        pad = self._native.id_to_token(self.pad_id)
        if pad is not None:
            settings["pad_token"] = pad
        text = json.dumps(settings, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")


class _Filled(Encoder):
    """A tokenizer whose texts all have one length: too long ones are cut, others padded in front."""

    pads: ClassVar[bool] = False

    def __call__(self, texts: Sequence[Item]) -> list[list[int]]:
        """See :meth:`Encoder.__call__`."""
        every = super().__call__(texts)
        return [[self.pad_id] * (self.max_tokens - len(ids)) + ids for ids in every]

    def batch(self, examples: Sequence[list[int]], size: int | None = None) -> dict[str, NDArray[Any]]:
        """See :meth:`Reader.batch`: ids alone, int64 [batch, tokens]."""
        return {IDS: np.array(examples, np.int64)}

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """See :meth:`Reader.axes`."""
        return {IDS: ("batch",)}

    def plain(self) -> PlainReading:
        """See :meth:`Encoder.plain`."""
        return plain_text(self, filled=True)

    def with_limit(self, max_tokens: int) -> Encoder:
        """See :meth:`Encoder.with_limit`."""
        limit = min(max_tokens, self.max_tokens)
        return _Filled(self.source, max_tokens=limit, pad_id=self.pad_id, settings=self.settings)

    def for_learning(self) -> Encoder:
        """See :meth:`Encoder.for_learning`: as it is, because the network takes one length."""
        return self


def _native(source: str) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(source)
    except Exception as error:
        raise ModelError(f"{TOKENIZER} is not a tokenizer that can be read ({error}).") from error


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def limit_of(folder: Path, settings: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Most tokens that the model in ``folder`` reads, special tokens included.

    A table of positions ends somewhere, and so does what the tokenizer was told to keep: the smaller of both. A model
    without such a table (rotary or relative positions) reads what its tokenizer keeps; where that sets no limit, as
    much as its config says that it was made for.

    Args:
        settings: of the tokenizer. config: of the model; empty for an exported one, whose settings hold the limit.
    """
    kept, made_for = _count(settings.get("model_max_length")), _count(config.get("max_position_embeddings"))
    weights = sorted(folder.glob("*.safetensors"))
    rows = _table_rows(weights)
    if rows is None and (kept is None or not weights):
        rows = made_for
    limits = [] if rows is None else [rows - _unused_rows(config)]
    return min(limits if kept is None else [*limits, kept], default=UNSAID)


def _count(value: Any) -> int | None:
    """A number of tokens, whole or written with a point; None for what is none or means that there is no limit."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if number and 0 < value < UNLIMITED else None


def _table_rows(weights: Sequence[Path]) -> int | None:
    """Rows of the table of positions in files of weights; None where there is no such table."""
    for path in weights:
        for name, tensor in read_header(path).items():
            if name.endswith(POSITION_TABLES) and len(tensor.shape) == 2:
                return int(tensor.shape[0])
    return None


def _unused_rows(config: Mapping[str, Any]) -> int:
    """How many rows of its table of positions a model never uses for text."""
    family = config.get("model_type")
    if family not in COUNTED_FROM_PADDING:
        return 0
    padding = config.get("pad_token_id")
    # MPNet's is 1 whatever its config says; RoBERTa's is 1 where its config says nothing.
    return 1 + (padding if isinstance(padding, int) and padding >= 0 and family != "mpnet" else 1)


def _unknown_id(native: Tokenizer) -> int | None:
    """What a tokenizer makes of a character that is in no vocabulary; None where it falls back to bytes."""
    try:
        tokens = native.model.tokenize(NO_CHARACTER)
    except Exception:  # noqa: BLE001  a vocabulary of whole words without a token for others raises it
        return None
    return int(tokens[0].id) if len(tokens) == 1 else None


def _truncation_side(native: Tokenizer, settings: Mapping[str, Any]) -> str:
    """Which end of a longer text is cut off, ``left`` or ``right``: the settings' word, else the tokenizer's own."""
    own = native.truncation["direction"] if native.truncation else "right"
    side = str(settings.get("truncation_side") or own).lower()
    if side not in ("left", "right"):
        raise ModelError(f"{SETTINGS}: truncation_side is {side!r}.", allowed="left or right")
    return side


def _pad_id(native: Tokenizer, settings: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """The first that is known: padding token of the settings, of the tokenizer, id in the model's config, 0.

    Padding is masked, so that any row of the embedding will do; one that the embedding does not have will not.
    """
    token = settings.get("pad_token")
    name = token.get("content") if isinstance(token, dict) else token
    rows = config.get("vocab_size")
    known = [native.token_to_id(name) if isinstance(name, str) else None]
    known += [native.padding["pad_id"] if native.padding else None, config.get("pad_token_id")]
    for found in known:
        if isinstance(found, int) and 0 <= found < (rows if isinstance(rows, int) else UNLIMITED):
            return found
    return 0
