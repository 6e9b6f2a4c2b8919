"""From a GGUF file to a float network and back: tensors that did not change are copied bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.nets.gguf.families import config_of, family_of_config, family_of_file, gguf_name, hf_name, to_gguf, to_hf
from lighten.nets.gguf.file import FILE, GgufHeader, read_gguf
from lighten.nets.gguf.rope import FACTORS, factors_of, rope_of
from lighten.nets.gguf.tokenizer import tokenizer_json
from lighten.nets.gguf.vocabulary import from_tokenizer
from lighten.nets.gguf.weights import BLOCKS, QuantizedTensor, floats, pack, raw, write_gguf
from lighten.nets.language.network import CONFIG, METADATA, LanguageNetwork, Tokens, open_language

EMBEDDING = "token_embd.weight"
ROWS = 16_384
"""Rows of an embedding that are compared at a time."""


@dataclass
class GgufModel:
    """A language model in GGUF: one that lies in a file, or one that is about to be written.

    Attributes:
        values: metadata by key.
        tensors: by name, in order; each is made when it is asked for.
        source: the file that it lies in or began with.
        meta: of the artifact it was opened from.
        types: number of the type of each key's value, where a file says so.
    """

    values: dict[str, Any]
    tensors: Callable[[], Iterator[tuple[str, QuantizedTensor]]]
    source: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    types: Mapping[str, int] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """What belongs into the record of its artifact."""
        return {"labels": [], "source": self.source}


def open_gguf(artifact: Artifact) -> GgufModel:
    """The model in an artifact of format ``gguf``, its header checked; no tensor is read.

    Raises:
        ModelError: the file is broken.
    """
    path = artifact.path / FILE
    header = read_gguf(path)
    return GgufModel(
        dict(header.values),
        lambda: ((name, raw(path, tensor)) for name, tensor in header.tensors.items()),
        str(path.resolve()),
        dict(artifact.meta),
        header.types,
    )


def save_gguf(model: GgufModel, folder: Path) -> None:
    """Write a model as the one file of an artifact."""
    write_gguf(folder / FILE, model.values, model.tensors(), model.types)


def to_network(model: GgufModel, folder: Path) -> LanguageNetwork:
    """The float network that a GGUF file stands for.

    Args:
        folder: where its HF folder is written meanwhile; the network does not depend on it afterwards.

    Raises:
        ModelError: an architecture or tokenizer that lighten cannot take apart.
    """
    from safetensors.numpy import save_file

    family = family_of_file(model.values)
    packed = dict(model.tensors())
    if EMBEDDING not in packed:
        raise ModelError(f"The file has no tensor {EMBEDDING}.", fix="copy or download it again")
    scaled = packed.pop(FACTORS, None)
    config = config_of(
        model.values,
        vocabulary=packed[EMBEDDING].shape[0],
        tied="output.weight" not in packed,
        factors=None if scaled is None else floats(scaled),
    )
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    tokenizer, settings = tokenizer_json(model.values)
    Tokens(json.dumps(tokenizer, ensure_ascii=False), settings).save(folder)
    state = {
        hf_name(family, name): np.ascontiguousarray(to_hf(family, name, floats(tensor), config))
        for name, tensor in packed.items()
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / METADATA).write_text(json.dumps(model.values, ensure_ascii=False), encoding="utf-8")
    del state, packed
    network = open_language(folder)
    network.source = model.source
    # Weights may be mapped from the file, which the caller removes.
    for parameter in network.net.parameters():
        parameter.data = parameter.data.clone()
    return network


def to_gguf_model(
    network: LanguageNetwork,
    format_of: Callable[[str, tuple[int, ...]], str],
    importance: Mapping[str, NDArray[np.float32]] | None = None,
) -> GgufModel:
    """A network in GGUF.

    Args:
        format_of: (name, shape) of a matrix to its format; vectors are F32.
        importance: by GGUF name, [columns] weight of each column's squared error.

    Raises:
        ModelError: a weight that the family does not have in GGUF, or a format whose blocks its columns do not fill.
    """
    config = network.net.config.to_dict()
    values = gguf_values(network, config)
    source, family = Source.of(network.source), family_of_config(config)

    def tensors() -> Iterator[tuple[str, QuantizedTensor]]:
        for name, value in gguf_arrays(network):
            if value.ndim < 2:
                # A norm that is stored plus one may lose its last bit on the way here; the file still has it.
                known = source.whole(name) if source else None
                same = known and np.array_equal(
                    to_gguf(family, name, to_hf(family, name, floats(known), config), config), value
                )
                yield name, known if known and same else pack(value, "F32")
                continue
            wanted = format_of(name, value.shape)
            same = source.copy(name, value, wanted) if source else None
            yield name, same or pack(value, wanted, (importance or {}).get(name))

    return GgufModel(values, tensors, network.source, dict(network.meta))


def gguf_arrays(network: LanguageNetwork) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every weight under its GGUF name and in GGUF's order of rows, one at a time, float32."""
    config = network.net.config.to_dict()
    family = family_of_config(config)
    for name, tensor in network.net.state_dict().items():
        if name == "lm_head.weight" and config.get("tie_word_embeddings"):
            continue
        ours = gguf_name(family, name)
        yield ours, np.ascontiguousarray(to_gguf(family, ours, tensor.detach().numpy(), config), dtype=np.float32)
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    if (factors := factors_of(rope_of(config), width)) is not None:
        yield FACTORS, factors


def gguf_values(network: LanguageNetwork, config: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of the file: what the model came with, its sizes as they are now."""
    from lighten.nets.gguf.families import values_of

    made = values_of(config, str(network.meta.get("model", "model")))
    rows = int(config["vocab_size"])
    if network.values:
        kept = {key: value for key, value in network.values.items() if not key.startswith("general.file_type")}
        sizes = {
            key: value
            for key, value in made.items()
            if key.endswith((".block_count", ".feed_forward_length", ".vocab_size", ".head_count", ".head_count_kv"))
            and (key in kept or not key.endswith(".vocab_size"))
        }
        return {**kept, **sizes}
    vocabulary = from_tokenizer(json.loads(network.tokens.source), network.tokens.settings, rows=rows)
    return {**made, **vocabulary, "general.quantization_version": 2}


class Source:
    """The file that a network began with: what is still in it can be copied as it is.

    Args:
        path: of the file. header: its header.
    """

    def __init__(self, path: Path, header: GgufHeader) -> None:
        self.path, self.header = path, header

    @classmethod
    def of(cls, path: str) -> Source | None:
        """The file at ``path``; None when there is none any more."""
        if not path or not Path(path).is_file():
            return None
        return cls(Path(path), read_gguf(Path(path)))

    def whole(self, name: str) -> QuantizedTensor | None:
        """A tensor as the file has it; None when it has none of this name."""
        tensor = self.header.tensors.get(name)
        return None if tensor is None else raw(self.path, tensor)

    def copy(self, name: str, value: NDArray[np.float32], wanted: str) -> QuantizedTensor | None:
        """The tensor's own bytes, when its numbers did not change and ``wanted`` is not smaller; else None."""
        tensor = self.header.tensors.get(name)
        if tensor is None or tensor.shape[1:] != value.shape[1:] or bits(tensor.format) > bits(wanted):
            return None
        packed = raw(self.path, tensor)
        if tensor.shape == value.shape:
            return packed if np.array_equal(floats(packed), value) else None
        rows = self._rows(packed, value)
        return (
            None
            if rows is None
            else QuantizedTensor(packed.format, value.shape, np.ascontiguousarray(packed.data[rows]))
        )

    def _rows(self, packed: QuantizedTensor, value: NDArray[np.float32]) -> NDArray[np.int64] | None:
        """Which rows of the file ``value`` consists of; None when one of its rows is not in the file."""
        wanted: dict[bytes, list[int]] = {}
        for number, row in enumerate(value):
            wanted.setdefault(row.tobytes(), []).append(number)
        found = np.full(len(value), -1, np.int64)
        for begin in range(0, packed.shape[0], ROWS):
            piece = QuantizedTensor(
                packed.format,
                (min(ROWS, packed.shape[0] - begin), *packed.shape[1:]),
                packed.data[begin : begin + ROWS],
            )
            for number, row in enumerate(floats(piece)):
                for place in wanted.get(row.tobytes(), ()):
                    found[place] = begin + number
        return None if (found < 0).any() else found


def bits(format: str) -> float:
    """Bits per number of a format."""
    block, size = BLOCKS[format]
    return 8 * size / block
