"""GGUF files as they come: in one file or in several parts, and of models that do not write text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from lighten.core.errors import ModelError
from lighten.nets.gguf.file import GgufHeader, GgufTensor, read_gguf
from lighten.nets.gguf.weights import QuantizedTensor, raw, write_gguf

PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.I)
"""Name of a part, as llama-gguf-split gives it."""

EMBEDDERS = frozenset({
    "bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3", "modern-bert", "eurobert",
    "gemma-embedding", "t5encoder", "llama-embed",
})  # fmt: skip
"""Architectures that give vectors, or labels, and write nothing."""
PAINTERS = frozenset({
    "flux", "sd1", "sd3", "sdxl", "aura", "wan", "ltxv", "hyvid", "hidream", "cosmos", "lumina2", "qwen_image", "pig",
})  # fmt: skip
OTHERS = {"whisper": "a model of speech", "t5": "a sequence-to-sequence model", "wavtokenizer-dec": "a model of sound"}


def split_groups(names: Collection[str]) -> dict[str, list[str]]:
    """GGUF files by model: the parts of one together, in order, under the name of the first."""
    groups: dict[str, list[str]] = {}
    for name in sorted(name for name in names if name.lower().endswith(".gguf")):
        match = PART.fullmatch(name)
        groups.setdefault(f"{match[1]}-of-{match[3]}" if match else name, []).append(name)
    return {group[0]: group for group in groups.values()}


def is_projector(name: str) -> bool:
    """Whether a file's name says that it is the part of a model that sees."""
    return "mmproj" in name.lower()


def parts_of(path: Path) -> list[Path]:
    """The files that make up the model of which ``path`` is one, in order.

    Raises:
        ModelError: a part is missing.
    """
    match = PART.fullmatch(path.name)
    count = int(read_gguf(path).values.get("split.count") or 1)
    if count < 2:
        return [path]
    if match is None:
        raise ModelError(
            f"{path} is one of {count} parts of a model, and its name does not say which.",
            allowed=f"NAME-00001-of-{count:05}.gguf and the other parts beside it, or one file",
            fix="join them with llama-gguf-split --merge",
        )
    found = [path.with_name(f"{match[1]}-{number:05}-of-{match[3]}.gguf") for number in range(1, int(match[3]) + 1)]
    missing = [one.name for one in found if not one.is_file()]
    if missing:
        raise ModelError(
            f"{path} is part {int(match[2])} of {int(match[3])} of a model, and {', '.join(missing[:3])} "
            f"{'and others are' if len(missing) > 3 else 'are' if len(missing) > 1 else 'is'} not beside it.",
            allowed="all parts in one folder, or one file",
            fix="download the other parts too: they are joined when they are all there",
        )
    return found


def one_model(where: str, files: Sequence[str]) -> str:
    """The one file of several that is a model, the projectors of its eyes left out.

    Args:
        where: what the user calls the folder.

    Raises:
        ModelError: there are several.
    """
    models = [name for name in files if not is_projector(name)] or list(files)
    if len(models) == 1:
        return models[0]
    shown = ", ".join(models[:8]) + (f" and {len(models) - 8} more" if len(models) > 8 else "")
    raise ModelError(
        f"{where} holds {len(models)} GGUF models: {shown}.", allowed="one of them", fix=f"give {where}/{models[0]}"
    )


def checked_header(path: Path) -> GgufHeader:
    """The header of a file that holds a language model; of several parts, the first one's metadata and all tensors.

    The tensors of later parts have offsets in their own files; only their formats and shapes are meant to be read.

    Raises:
        ModelError: it is broken, a part is missing, or it holds another kind of model: says which.
    """
    headers = [read_gguf(one) for one in parts_of(path)]
    first = headers[0]
    tensors: dict[str, GgufTensor] = {}
    for header in headers:
        tensors |= header.tensors
    refuse_other(path, first, tensors)
    values = {key: value for key, value in first.values.items() if not key.startswith("split.")}
    return GgufHeader(first.version, values, tensors, first.types)


def refuse_other(path: Path, header: GgufHeader, tensors: Collection[str]) -> None:
    """Refuse what is GGUF and no language model.

    Raises:
        ModelError: says what it is, and what to do.
    """
    name, kind = header.architecture, str(header.values.get("general.type") or "model")
    if name == "clip" or kind == "mmproj":
        raise ModelError(
            f"{path} is the part of a model that sees or hears (a projector, {name}), not the model.",
            allowed="the file of the language model",
            fix="give the other .gguf file of the model, whose name does not begin with mmproj",
        )
    if kind == "adapter":
        raise ModelError(
            f"{path} is a LoRA adapter in GGUF, not a model.",
            allowed="a model, or an adapter as peft saves it, with its base",
            fix="merge it with llama.cpp's llama-export-lora, and give the file that it writes",
        )
    if kind == "imatrix":
        raise ModelError(f"{path} is an importance matrix, not a model.", fix="give the file of the model")
    what = "a model of embeddings" if name in EMBEDDERS or header.values.get(f"{name}.pooling_type") else ""
    what = what or OTHERS.get(name, "a model of images" if name in PAINTERS else "")
    if what:
        raise ModelError(
            f"{path} is {what} ({name}): it writes no text.",
            allowed="language models in GGUF; classifiers and encoders in HF folders",
            fix="bring the HF folder that it was made from" if name in EMBEDDERS else "bring a language model",
        )
    if not tensors:
        raise ModelError(f"{path} holds a vocabulary and no weights.", fix="give the file of the whole model")
    if "tokenizer.ggml.tokens" not in header.values:
        raise ModelError(
            f"{path} holds no vocabulary (tokenizer.ggml.tokens).",
            fix="convert the model again with llama.cpp's convert_hf_to_gguf.py",
        )


def join(parts: list[Path], target: Path) -> None:
    """Write the parts of a model as one file, tensor for tensor.

    Raises:
        ModelError: a part is broken. MissingExtra: the library that writes GGUF is not installed.
    """
    header = read_gguf(parts[0])
    values = {key: value for key, value in header.values.items() if not key.startswith("split.")}

    def tensors() -> Iterator[tuple[str, QuantizedTensor]]:
        for part in parts:
            for name, tensor in read_gguf(part).tensors.items():
                yield name, raw(part, tensor)

    write_gguf(target, values, tensors(), header.types)
