"""A network that classifies text: opened from an HF folder with its tokenizer, and saved as one.

A folder that lighten saves is an ordinary HF folder, which plain transformers opens too, with one exception: a network
that lost attention heads, or has feed-forward blocks of several sizes. Its config cannot say so (transformers computes
the head's width from the number of heads, and 5.x cannot prune heads), so the counts stand in ``config.json`` beside
the original ones::

    "num_attention_heads": 12,
    "lighten_shapes": {"heads": [8, 8, 8], "ff": [768, 768, 768]}

and ``open_network`` builds the layers with these sizes. Feed-forward blocks of one size are ``intermediate_size``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError, UnsafeFile
from lighten.nets.architectures import DECODERS
from lighten.nets.encoders.checkpoint import differences, load, mismatch, renamed
from lighten.nets.encoders.couple import resize
from lighten.nets.encoders.first_token import answering_from_first_token
from lighten.nets.encoders.walk import blocks, head_size, layers, shapes
from lighten.nets.facts import SHAPES, has_head, labels_of, read_config, weights
from lighten.nets.network import Network, class_names
from lighten.readers.text import Encoder


def open_network(source: Artifact | Path, labels: Sequence[str] | None = None, *, seed: int = 0) -> Network:
    """Load an HF folder.

    Args:
        labels: names of the data's classes. A network without a classification head gets a new one for them. A network
            with a head keeps its own names and their order (see ``data.classes``); only one without names of its own
            (``LABEL_0``, ``LABEL_1``, ...) takes ``labels``, which are then in the order of its outputs.
        seed: of a new head's weights.

    Raises:
        ModelError: config and weights disagree, or the head does not classify into ``labels``.
        UnsafeFile: the config wants to run code of its own.
    """
    folder = source.path if isinstance(source, Artifact) else source
    config, headed = read_config(folder), has_head(read_config(folder), weights(folder))
    names = class_names(labels_of(config) if headed else None, labels)
    net = _build(folder, names, seed)
    state = renamed(load(folder), net, headed)
    problems = differences({n: tuple(t.shape) for n, t in state.items()}, net, headed)
    if problems:
        raise mismatch(folder, problems)
    net.load_state_dict(state, strict=False)
    encoder = tokenizer_of(folder, net.get_input_embeddings().num_embeddings)
    meta = dict(source.meta) if isinstance(source, Artifact) else {}
    if config["model_type"] in DECODERS:
        encoder = settle_padding(net, encoder)
    return Network(net.eval(), encoder, names, headed, meta, answering_from_first_token, blocks)


def tokenizer_of(folder: Path, rows: int) -> Encoder:
    """The tokenizer of a folder whose network has embeddings for so many tokens.

    Raises:
        ModelError: it knows more.
    """
    encoder = Encoder.open(folder)
    if encoder.vocabulary_size > rows:
        raise ModelError(
            f"{folder}: the tokenizer knows {encoder.vocabulary_size:,} tokens, the network has embeddings for "
            f"{rows:,}.",
            fix="take tokenizer and weights from the same place",
        )
    return encoder


def settle_padding(net: nn.Module, encoder: Encoder) -> Encoder:
    """The tokenizer with the padding token by which a decoder's head finds the end of a text, which both then know.

    The head reads the last token that is no padding. Where the config names the token, that is obeyed. Where it names
    none, transformers reads the very last token and takes one text at a time; a token that never ends a text, such as
    the one that each begins with, gives the same answers in a batch.
    """
    config: Any = net.config
    told, rows = config.pad_token_id, net.get_input_embeddings().num_embeddings
    if not isinstance(told, int) or not 0 <= told < rows:
        one, other = (ids for ids in encoder(["a", "b"]))
        begins = [one[0]] if one and other and one[0] == other[0] else []
        free = (token for token in (*begins, encoder.pad_id, *range(rows)) if token not in (one[-1:] + other[-1:]))
        told = next(free, encoder.pad_id)
    config.pad_token_id = told
    return encoder.with_padding(told)


def save_network(network: Network, folder: Path) -> Path:
    """Write config, weights (safetensors) and tokenizer as an HF folder; ``open_network`` reads it back.

    The folder is made when it does not exist; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = network.net.config
    config.id2label = dict(enumerate(network.labels))
    config.label2id = {name: i for i, name in enumerate(network.labels)}
    config.architectures = [type(network.net).__name__]
    config.vocab_size = network.net.get_input_embeddings().num_embeddings
    record_shapes(config, shapes(network.net))
    (folder / "config.json").write_text(config.to_json_string(), encoding="utf-8")
    state = {name: tensor.detach().clone().contiguous() for name, tensor in network.net.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    network.reader.save(folder)
    return folder


def expected_shapes(folder: Path) -> None:
    """Check config against headers without loading a weight.

    Raises:
        ModelError: lists the first differences.
    """
    config, tensors = read_config(folder), weights(folder)
    headed = has_head(config, tensors)
    with torch.device("meta"):
        net = _build(folder, labels_of(config), 0)
    names = renamed({name: torch.empty(t.shape, device="meta") for name, t in tensors.items()}, net, headed)
    problems = differences({name: tuple(t.shape) for name, t in names.items()}, net, headed)
    if problems:
        raise mismatch(folder, problems)


def _build(folder: Path, labels: Sequence[str], seed: int) -> nn.Module:
    """The network of a config with random weights (those that the file lacks stay random, from ``seed``)."""

    def classifier(config: Any) -> nn.Module:
        config.id2label = dict(enumerate(labels))
        config.label2id = {name: i for i, name in enumerate(labels)}
        config.problem_type = None
        made: nn.Module = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
        return made

    return built(folder, classifier, seed)


def built(folder: Path, make: Callable[[Any], nn.Module], seed: int = 0) -> nn.Module:
    """The network of a config with random weights, its layers as narrow as the config says.

    Args:
        make: makes it of its config, as transformers has it. seed: of the weights.

    Raises:
        ModelError: the config describes none. UnsafeFile: it wants to run code of its own.
    """
    raw = read_config(folder)
    if "auto_map" in raw:
        raise UnsafeFile(
            f"{folder / 'config.json'} names Python code to run (auto_map).", allowed="known architectures"
        )
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        config.use_cache = False  # of a decoder: nothing follows a text that is answered at once
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = make(config)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, ZeroDivisionError) as error:
        raise ModelError(f"{folder / 'config.json'} describes no network that can be built ({error}).") from error
    sizes = raw.get(SHAPES)
    if sizes is not None:
        parts = layers(net)
        most = {"heads": config.num_attention_heads, "ff": parts[0].up.out_features}
        _check_shapes(folder, sizes, len(parts), most)
        same = {name: sizes.get(name) or [limit] * len(parts) for name, limit in most.items()}
        resize(parts, same["heads"], same["ff"], head_size(net))
    return net


def _check_shapes(folder: Path, sizes: Any, count: int, most: dict[str, int]) -> None:
    fits = isinstance(sizes, dict) and set(sizes) <= set(most)
    for name, limit in most.items():
        counts = sizes.get(name, [1] * count) if fits else None
        if (
            not isinstance(counts, list)
            or len(counts) != count
            or not all(type(n) is int and 1 <= n <= limit for n in counts)
        ):
            fits = False
    if not fits:
        raise ModelError(
            f"{folder / 'config.json'}: {SHAPES} is {sizes!r}.",
            allowed=f"for each of {count} layers heads from 1 to {most['heads']} and ff from 1 to {most['ff']}",
        )


def record_shapes(config: Any, sizes: dict[str, list[int]]) -> None:
    """Write into a config how many heads and neurons its layers have, where it cannot say so itself."""
    if hasattr(config, SHAPES):
        delattr(config, SHAPES)
    if not sizes:
        return
    setattr(config, "hidden_dim" if config.model_type == "distilbert" else "intermediate_size", max(sizes["ff"]))
    odd_heads = any(count != config.num_attention_heads for count in sizes["heads"])
    if odd_heads or len(set(sizes["ff"])) > 1:
        setattr(config, SHAPES, sizes)
