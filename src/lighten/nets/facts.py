"""What is known of a network from its config and its headers alone: no torch, no weights."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from math import prod
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError
from lighten.files.json_file import read_object
from lighten.files.safefile import BITS, Tensor, read_header
from lighten.files.weight_files import weight_files
from lighten.nets.architectures import DECODERS, ENCODERS, HEADS, is_headed
from lighten.nets.gguf.fit import formats_told, no_gguf, no_network, number_formats
from lighten.nets.gguf.parts import checked_header

FAMILIES = ENCODERS
"""Encoder families (``model_type``) that lighten opens."""

SHAPES = "lighten_shapes"
"""Key of ``config.json`` under which a narrowed network records what its config cannot say (see
``nets.encoders.network``)."""

HEAD = ("classifier", "pre_classifier", "score", "head")
"""First part of the names of a classification head's weights."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layers"),
    "heads": ("num_attention_heads", "n_heads"),
    "hidden": ("hidden_size", "dim"),
    "intermediate": ("intermediate_size", "hidden_dim"),
    "vocabulary": ("vocab_size",),
}


def encoder_facts(folder: Path) -> dict[str, Any]:
    """Facts of a text classifier or encoder in an HF folder, for the steps' ``check`` and for reports.

    Returns:
        ``family``, ``layers``, ``heads`` (most of any layer), ``head_size``, ``hidden``, ``intermediate`` (most of any
        layer), ``vocabulary`` (rows of the embedding), ``parameters`` (elements of all weights), ``labels`` (tuple;
        empty without a head), ``has_head``, ``format``, ``tokenizer`` (``"WordPiece"``, ``"BPE"``, ...; empty when it
        has to be converted first), ``formats`` (weights by number format, such as ``{"F16": 268098176}``), ``bits``
        (per weight of the matrices), ``quantized`` (whether they are rounded to fewer bits than a float has).

    Raises:
        ModelError: its config or its headers cannot be read.
    """
    config, tensors = read_config(folder), weights(folder)
    elements = sum(t.elements for t in tensors.values())
    tokenizer = folder / "tokenizer.json"
    kind = _tokenizer(tokenizer.read_text(encoding="utf-8")) if tokenizer.is_file() else ""
    return {**_facts(config, elements, has_head(config, tensors)), "tokenizer": kind, **number_formats_of(tensors)}


def language_facts(
    folder: Path, config: Mapping[str, Any] | None = None, tensors: Mapping[str, Tensor] | None = None
) -> dict[str, Any]:
    """Facts of a language model in an HF folder.

    Args:
        config: None for the folder's own. tensors: headers of its weights; None for all that the folder holds.

    Returns:
        What :func:`encoder_facts` says, and ``language``, ``bytes`` (of the weights as they lie there), what
        :func:`sizes` says, and ``no_gguf``: why it cannot be written as GGUF; empty when it can.

    Raises:
        ModelError: its config lacks a number.
    """
    config = read_object(folder / "config.json") if config is None else config
    numbers = ("num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size", "vocab_size")
    lacking = [name for name in numbers if not isinstance(config.get(name), int)]
    if lacking:
        raise ModelError(f"{folder / 'config.json'} does not say {', '.join(lacking)}.", allowed="a whole number each")
    tensors = weights(folder) if tensors is None else tensors
    elements = sum(tensor.elements for tensor in tensors.values())
    tokenizer = folder / "tokenizer.json"
    return {
        "family": config["model_type"],
        "layers": config["num_hidden_layers"],
        "heads": config["num_attention_heads"],
        "hidden": config["hidden_size"],
        "intermediate": config["intermediate_size"],
        "vocabulary": config["vocab_size"],
        "parameters": elements,
        "labels": (),
        "has_head": True,
        "language": True,
        **sizes(config),
        **number_formats_of(tensors),
        "bytes": sum(tensor.bytes for tensor in tensors.values()),
        "format": "hf-causal",
        "no_gguf": no_gguf(folder, config),
        "tokenizer": _tokenizer(tokenizer.read_text(encoding="utf-8")) if tokenizer.is_file() else "",
    }


def gguf_facts(path: Path) -> dict[str, Any]:
    """Facts of a language model in a GGUF file. What the file does not say is 0.

    Returns:
        What :func:`language_facts` says, and ``no_network`` instead of ``no_gguf``: why it cannot be opened as a
        network; empty when it can.

    Raises:
        ModelError: its header cannot be read.
    """
    header = checked_header(path)
    values, name = header.values, header.architecture
    known = {
        fact: _most(values.get(f"{name}.{key}"))
        for fact, key in (
            ("layers", "block_count"),
            ("hidden", "embedding_length"),
            ("intermediate", "feed_forward_length"),
            ("heads", "attention.head_count"),
        )
    }
    embedding = header.tensors.get("token_embd.weight")
    like = {
        "num_hidden_layers": known["layers"],
        "hidden_size": known["hidden"],
        "num_attention_heads": known["heads"],
        "num_key_value_heads": _most(values.get(f"{name}.attention.head_count_kv")) or None,
        "head_dim": values.get(f"{name}.attention.key_length"),
        "tie_word_embeddings": "output.weight" not in header.tensors,
    }
    return {
        "family": name,
        **known,
        "vocabulary": embedding.shape[0] if embedding else 0,
        "parameters": sum(prod(tensor.shape) for tensor in header.tensors.values()),
        "labels": (),
        "has_head": True,
        "language": True,
        **sizes(like),
        **number_formats(header),
        "bytes": sum(tensor.end - tensor.begin for tensor in header.tensors.values()),
        "format": "gguf",
        "tokenizer": str(values.get("tokenizer.ggml.model", "")),
        "no_network": no_network(path),
    }


def _most(value: Any) -> int:
    """A count; where layers differ, that of the largest one; 0 for anything else."""
    counts = value if isinstance(value, tuple) else (value,)
    return max((count for count in counts if isinstance(count, int)), default=0)


def number_formats_of(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Number formats of the weights of an HF folder, which are floats."""
    counts: dict[str, int] = {}
    for tensor in tensors.values():
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.elements
    sizes = sum(BITS[name] * count for name, count in counts.items())
    return formats_told(counts) | {"bits": round(sizes / max(sum(counts.values()), 1), 2)}


def sizes(config: Mapping[str, Any]) -> dict[str, Any]:
    """``head_size``, ``cache`` (numbers that a token leaves among keys and values) and ``tied`` of a language model."""
    counts = (config.get(name) or 0 for name in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
    layers, hidden, heads = (number if isinstance(number, int) else 0 for number in counts)
    groups, size = config.get("num_key_value_heads"), config.get("head_dim")
    groups = groups if isinstance(groups, int) else heads
    size = size if isinstance(size, int) else hidden // max(heads, 1)
    tied = bool(config.get("tie_word_embeddings", False))
    return {"head_size": size, "cache": 2 * layers * groups * size, "tied": tied}


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of an HF folder.

    Raises:
        ModelError: it is missing, not JSON, or of a family that lighten does not open.
    """
    path = folder / "config.json"
    config = read_object(path, missing={})
    if not config:
        raise ModelError(
            f"{folder} has no config.json, or an empty one.",
            allowed="a folder that save_pretrained of transformers wrote",
        )
    if config.get("model_type") not in (*ENCODERS, *DECODERS):
        raise ModelError(
            f"{path} describes the architecture {config.get('model_type')!r}, which lighten does not know.",
            allowed=", ".join((*ENCODERS, *DECODERS)),
        )
    return config


def weights(folder: Path) -> dict[str, Tensor]:
    """Every tensor of the files that are the weights of the model in ``folder``.

    Raises:
        ModelError: there is none, one is broken, or a name occurs twice.
    """
    found: dict[str, Tensor] = {}
    for path in (folder / name for name in weight_files(folder)):
        tensors = read_header(path)
        twice = sorted(set(found) & set(tensors))
        if twice:
            raise ModelError(f"{path} holds {twice[0]} once more.", allowed="each weight in one file")
        found |= tensors
    return found


def has_head(config: Mapping[str, Any], tensors: Collection[str]) -> bool:
    """Whether the weights, by their names, hold a head that classifies sequences."""
    headed = is_headed(config, tensors, "ForSequenceClassification", HEADS)
    return headed and any(name.partition(".")[0] in HEAD for name in tensors)


def labels_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the classes in the order of the outputs.

    Raises:
        ModelError: ``id2label`` is not a numbering from 0.
    """
    table = config.get("id2label") or {i: f"LABEL_{i}" for i in range(int(config.get("num_labels", 2)))}
    try:
        by_number = {int(i): str(name) for i, name in table.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"id2label in config.json cannot be read ({error}).") from error
    if sorted(by_number) != list(range(len(by_number))):
        raise ModelError(f"id2label in config.json numbers its classes {sorted(by_number)}.", allowed="0, 1, 2, ...")
    return tuple(by_number[i] for i in range(len(by_number)))


def _tokenizer(text: str) -> str:
    """Kind of the tokenizer's model."""
    try:
        return str(json.loads(text)["model"]["type"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"tokenizer.json says no kind of tokenizer ({type(error).__name__}: {error}).") from error


def _facts(config: Mapping[str, Any], parameters: int, headed: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, keys in _NAMES.items():
        value = next((config[key] for key in keys if key in config), None)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ModelError(f"config.json: {keys[0]} is {value!r}.", allowed="a count of at least 1")
        found[name] = value
    head_size = found["hidden"] // found["heads"]
    shapes = config.get(SHAPES) or {}
    if isinstance(shapes, dict) and shapes:
        found["heads"] = max(shapes.get("heads") or [found["heads"]])
        found["intermediate"] = max(shapes.get("ff") or [found["intermediate"]])
    return {
        "family": config["model_type"],
        **found,
        "head_size": head_size,
        "parameters": parameters,
        "labels": labels_of(config) if headed else (),
        "has_head": headed,
        "format": "hf",
    }
