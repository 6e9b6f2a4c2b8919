"""Whether a GGUF file can be opened as a network, and a network's folder written as GGUF: told from headers alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError
from lighten.files.json_file import read_object
from lighten.nets.gguf.families import config_of, family_of_file, hf_name, values_of
from lighten.nets.gguf.file import GgufHeader, read_gguf
from lighten.nets.gguf.parts import parts_of
from lighten.nets.gguf.rope import FACTORS
from lighten.nets.gguf.tokenizer import tokenizer_json
from lighten.nets.gguf.vocabulary import from_tokenizer
from lighten.nets.gguf.weights import BLOCKS, floats, raw

EMBEDDING = "token_embd.weight"
FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
"""Formats of numbers that nothing was rounded to but their own precision."""


def no_network(path: Path) -> str:
    """Why lighten cannot open a GGUF file as a network, in one sentence; empty when it can.

    The tokenizer is read for it, which takes a second with a large vocabulary; asked again, the answer is remembered.

    Raises:
        ModelError: the file is broken.
    """
    about = path.stat()
    return _no_network(str(path), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=8)
def _no_network(path: str, size: int, changed: int) -> str:
    places = {name: (part, tensor) for part in parts_of(Path(path)) for name, tensor in read_gguf(part).tensors.items()}
    header = read_gguf(Path(path))
    try:
        family = family_of_file(header.values)
        if EMBEDDING not in places:
            raise ModelError(f"The file has no tensor {EMBEDDING}.")
        config_of(
            header.values,
            vocabulary=places[EMBEDDING][1].shape[0],
            tied="output.weight" not in places,
            factors=floats(raw(*places[FACTORS])) if FACTORS in places else None,
        )
        for name in places.keys() - {FACTORS}:
            hf_name(family, name)
        tokenizer_json(header.values)
    except ModelError as error:
        return error.seen
    return ""


def no_gguf(folder: Path, config: Mapping[str, Any]) -> str:
    """Why the language model in an HF folder cannot be written as GGUF, in one sentence; empty when it can."""
    tokenizer = folder / "tokenizer.json"
    about = tokenizer.stat() if tokenizer.is_file() else None
    known = json.dumps(config, sort_keys=True)
    return _no_gguf(str(folder), known, about.st_mtime_ns if about else 0)


@lru_cache(maxsize=8)
def _no_gguf(folder: str, config: str, changed: int) -> str:
    read = json.loads(config)
    try:
        values_of(read, "model")
        if changed:
            settings = read_object(Path(folder) / "tokenizer_config.json", missing={})
            source = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
            most = max((int(token["id"]) for token in source.get("added_tokens") or ()), default=0)
            from_tokenizer(source, settings, rows=max(int(read["vocab_size"]), most + 1))
    except ModelError as error:
        return error.seen
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"config.json or the tokenizer is not as expected ({type(error).__name__}: {error})."
    return ""


def number_formats(header: GgufHeader) -> dict[str, Any]:
    """Number formats of a file's weights.

    Returns:
        ``formats`` (weights by format, most first), ``bits`` (per weight of the matrices), ``quantized`` (whether most
        weights are rounded to fewer bits than a float has).
    """
    counts: dict[str, int] = {}
    sizes = weights = 0
    for tensor in header.tensors.values():
        counts[tensor.format] = counts.get(tensor.format, 0) + prod(tensor.shape)
        if len(tensor.shape) > 1:
            sizes, weights = sizes + tensor.end - tensor.begin, weights + prod(tensor.shape)
    return formats_told(counts) | {"bits": round(8 * sizes / max(weights, 1), 2)}


def formats_told(counts: Mapping[str, int]) -> dict[str, Any]:
    """``formats`` and ``quantized``; counts: weights by format."""
    rounded = sum(count for name, count in counts.items() if name in BLOCKS and name not in FLOATS)
    ordered = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
    return {"formats": ordered, "quantized": 2 * rounded > sum(counts.values())}
