"""The tokenizer in the metadata of a GGUF file, read the way llama.cpp reads it.

Two kinds have pieces that are merged step by step: ``llama`` (SentencePiece BPE: two neighbours are merged when what
they spell is a token, the highest score first, then the leftmost) and ``gpt2`` (byte-level BPE: two neighbours are
merged when their pair is in a list, the first of the list first, then the leftmost).

Source: ``llama-vocab.cpp`` and ``unicode.cpp`` of llama.cpp; https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lighten.core.errors import ModelError

LLAMA, GPT2 = "llama", "gpt2"
KEY = "tokenizer.ggml."
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)
"""Types of tokens: plain; for what has no token; never plain text; found in text before anything is merged; a place
that is kept free; one byte."""
SPACE = "▁"
"""How SentencePiece writes a space."""
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""How SentencePiece names the tokens of single bytes."""

_DEFAULTS: Mapping[str, Mapping[str, int]] = {
    LLAMA: {"bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0},
    GPT2: {"bos_token_id": 11, "eos_token_id": 11},
}
"""What llama.cpp takes where a file does not say."""

ENDINGS = frozenset({
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>",
    "[EOT]", "[EOS]", "</s>", "<|eom_id|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_utterance>",
    "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
})  # fmt: skip
"""Tokens that llama.cpp takes for control tokens by their names, whatever type a file gives them."""

_ENGLISH = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _REST
_QWEN2 = _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _REST


@dataclass(frozen=True, slots=True)
class Split:
    """How text is split before byte-level BPE merges within each part.

    Attributes:
        patterns: regular expressions, each applied to the parts that the one before left.
        whole: a part that is a token is taken as it is, whatever its merges give.
        begin: the start token is put first where the file does not say.
    """

    patterns: tuple[str, ...]
    whole: bool = False
    begin: bool = False


SPLITS: Mapping[str, Split] = {
    "gpt-2": Split((_GPT2,)),
    "llama-bpe": Split((_LLAMA3,), whole=True, begin=True),
    "smaug-bpe": Split((_LLAMA3,)),
    "qwen2": Split((_QWEN2,)),
    "smollm": Split((r"\p{N}", _GPT2)),
    "default": Split((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]")),
}
"""By the name in ``tokenizer.ggml.pre``."""

_SAME: Mapping[str, str] = {
    **dict.fromkeys(("phi-2", "mpt", "olmo", "jais", "trillion", "exaone4", "modern-bert", "gigachat"), "gpt-2"),
    **dict.fromkeys(("llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"), "llama-bpe"),
    **dict.fromkeys(("dbrx", "glm4", "chatglm-bpe"), "smaug-bpe"),
    **dict.fromkeys(("deepseek-r1-qwen", "megrez", "stablelm2", "hunyuan", "grok-2"), "qwen2"),
    **dict.fromkeys(("starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"), "smollm"),
}
"""Names that llama.cpp splits alike."""


def byte_alphabet() -> list[str]:
    """The character that stands for each byte, 0 to 255, in byte-level BPE (GPT-2's ``bytes_to_unicode``)."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(256, 512))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


@dataclass(frozen=True, slots=True)
class GgufBpe:
    """A tokenizer of one of the two kinds.

    Attributes:
        kind: ``llama`` or ``gpt2``.
        texts: of each token, by id; all different.
        types: of each token.
        scores: of each token; the higher, the earlier it is merged (kind ``llama``).
        ids: the token of each text.
        ranks: (left, right) -> place in the list of merges (kind ``gpt2``).
        named: metadata key -> id, such as ``tokenizer.ggml.bos_token_id``; with what llama.cpp takes by default.
    """

    kind: str
    texts: tuple[str, ...]
    types: tuple[int, ...]
    scores: tuple[float, ...]
    named: Mapping[str, int]
    ranks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    ids: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {text: i for i, text in enumerate(self.texts)})

    def passed(self, text: str) -> set[str]:
        """Every token that merging passes through on its way from characters to ``text``, itself among them.

        Empty when merging does not end in one piece: then no text around it can make it do so either. No merge crosses
        the edges of a token that is there at the end, and those within are applied in the order in which they are
        applied when it stands alone.
        """
        row = list(text)
        seen = set(row)
        while len(row) > 1:
            found = [(rank, i) for i, pair in enumerate(pairwise(row)) if (rank := self._rank(*pair)) is not None]
            if not found:
                return set()
            _, at = min(found)
            row[at : at + 2] = [row[at] + row[at + 1]]
            seen.add(row[at])
        return seen & self.ids.keys()

    def _rank(self, left: str, right: str) -> float | None:
        if self.kind == GPT2:
            return self.ranks.get((left, right))
        made = self.ids.get(left + right)
        return None if made is None else -self.scores[made]

    def spelling(self) -> list[int]:
        """Tokens that can spell any text, byte by byte.

        Raises:
            ModelError: a SentencePiece vocabulary without a token for some byte; llama.cpp stops at such a text.
        """
        if self.kind == GPT2:
            return [self.ids[character] for character in byte_alphabet() if character in self.ids]
        plain = {name: chr(byte) for byte, name in enumerate(BYTES[:128])}  # serves in the place of the byte
        found = {name: self.ids.get(name, self.ids.get(plain.get(name, name))) for name in BYTES}
        if missing := [name for name, i in found.items() if i is None]:
            raise ModelError(
                f"The vocabulary has no token {missing[0]}.", allowed="one token for each of the 256 bytes"
            )
        return [i for i in found.values() if i is not None]


def read(values: Mapping[str, Any]) -> GgufBpe:
    """The tokenizer that the metadata describe.

    Args:
        values: metadata of a GGUF file, by key.

    Raises:
        ModelError: another kind of tokenizer, or metadata that contradict each other.
    """
    kind = values.get(KEY + "model")
    if kind not in (LLAMA, GPT2):
        raise ModelError(f"The tokenizer of the GGUF file is of the kind {kind!r}.", allowed=f"{LLAMA!r}, {GPT2!r}")
    texts = tuple(text or f"[EMPTY_{i}]" for i, text in enumerate(_column(values, "tokens", str)))
    types = _column(values, "token_type", int, len(texts), NORMAL)
    scores = _column(values, "scores", (int, float), len(texts), 0.0)
    named = {key: i for key, i in _named(values, kind) if 0 <= i < len(texts)}
    found = GgufBpe(kind, texts, types, scores, named, _ranks(values) if kind == GPT2 else {})
    if len(found.ids) != len(texts):
        twice = next(text for i, text in enumerate(texts) if found.ids[text] != i)
        raise ModelError(f"The vocabulary of the GGUF file has the token {twice!r} twice.")
    _check_merges(found.ranks, found.ids)
    return found


def split_of(values: Mapping[str, Any]) -> Split:
    """How the text is split (kind ``gpt2``).

    Raises:
        ModelError: a way that is not known here.
    """
    name = str(values.get(KEY + "pre", "default"))
    found = SPLITS.get(_SAME.get(name, name))
    if found is None:
        known = ", ".join(sorted({*SPLITS, *_SAME}))
        raise ModelError(f"The tokenizer of the GGUF file splits text as {name!r}.", allowed=known)
    return found


def split_name(tokenizer: Mapping[str, Any]) -> str:
    """The name in ``tokenizer.ggml.pre`` for the way a byte-level BPE splits text.

    Raises:
        ModelError: a way that is not known here. Composing characters first (NFC) is accepted: llama.cpp leaves it out.
    """
    normalizers = [part["type"] for part in steps(tokenizer, "normalizer") if part["type"] != "NFC"]
    patterns: list[str] = []
    for part in steps(tokenizer, "pre_tokenizer"):
        if part["type"] == "ByteLevel" and not part.get("add_prefix_space", True):
            patterns += [_GPT2] if part.get("use_regex", True) else []
        elif part["type"] == "Digits" and part.get("individual_digits"):
            patterns.append(r"\p{N}")
        elif part["type"] == "Split" and (part["behavior"], part["invert"]) in (("Isolated", False), ("Removed", True)):
            patterns.append(str(part["pattern"].get("Regex")).replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", _ENGLISH))
        else:
            patterns.append(f"{part['type']} { ({k: v for k, v in part.items() if k != 'type'}) }")
    whole = bool(tokenizer["model"].get("ignore_merges"))
    for name, split in SPLITS.items():
        if not normalizers and (tuple(patterns), whole) == (split.patterns, split.whole):
            return name
    raise ModelError(
        f"The tokenizer splits text in a way that llama.cpp has no name for: {', '.join((*normalizers, *patterns))}"
        + (", and takes a whole part that is a token as it is." if whole else "."),
        allowed=", ".join(SPLITS),
    )


def adds(values: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the start token is put before a text, and the end token behind it."""
    begin = split_of(values).begin if values.get(KEY + "model") == GPT2 else True
    return bool(values.get(KEY + "add_bos_token", begin)), bool(values.get(KEY + "add_eos_token", False))


def steps(tokenizer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The parts of a normalizer, pre-tokenizer or post-processor, sequences laid flat."""
    flat: list[dict[str, Any]] = []
    left = [tokenizer.get(name)]
    while left:
        part = left.pop(0)
        if part and part["type"] == "Sequence":
            left = [*next(v for k, v in part.items() if k != "type"), *left]
        elif part:
            flat.append(part)
    return flat


def _column(values: Mapping[str, Any], name: str, kind: Any, count: int = 1, default: Any = None) -> tuple[Any, ...]:
    """One array of the metadata, cut to ``count`` where that is known."""
    found = values.get(KEY + name, None if default is None else (default,) * count)
    if found is None:
        raise ModelError(f"The GGUF file has no {KEY}{name}.", allowed="a file with a whole vocabulary")
    if not isinstance(found, (tuple, list)) or not all(isinstance(value, kind) for value in found):
        raise ModelError(f"{KEY}{name} of the GGUF file is not an array of the kind it should be.")
    if len(found) < count:
        raise ModelError(f"{KEY}{name} of the GGUF file has {len(found):,} values.", allowed=f"{count:,} at least")
    return tuple(found if default is None else found[:count])


def _named(values: Mapping[str, Any], kind: str) -> Iterator[tuple[str, int]]:
    for name, i in _DEFAULTS[kind].items():
        yield KEY + name, i
    for key, i in values.items():
        if key.startswith(KEY) and key.endswith("_token_id"):
            if not isinstance(i, int):
                raise ModelError(f"{key} of the GGUF file is {i!r}.", allowed="the number of a token")
            yield key, i


def _ranks(values: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    ranks: dict[tuple[str, str], int] = {}
    for line in _column(values, "merges", str, 0):
        left, _, right = line[1:].partition(" ")  # a part may begin with a space, it holds none behind
        ranks.setdefault((line[:1] + left, right), len(ranks))
    return ranks


def _check_merges(ranks: Mapping[tuple[str, str], int], ids: Collection[str]) -> None:
    for left, right in ranks:
        if not (left in ids and right in ids and left + right in ids):
            raise ModelError(
                f"The GGUF file merges {left!r} and {right!r}, and has no token for one of them or for both."
            )
