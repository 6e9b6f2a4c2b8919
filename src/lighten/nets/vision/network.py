"""A network that classifies pictures: opened from an HF folder with its processor, and saved as one.

transformers loads and saves the weights: it renames what older releases of it called otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModelForImageClassification

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.readers import reader_in
from lighten.isolate.quiet import quiet
from lighten.nets.architectures import HEADED, PICTURE_HEADS, named_architectures
from lighten.nets.facts import labels_of, weights
from lighten.nets.network import Network, class_names
from lighten.nets.vision.blocks import blocks
from lighten.nets.vision.facts import has_vision_head, read_vision_config

PRETRAINING = ("pooler", "mask_token", "decoder")
"""Parts of the names of weights that served pretraining only; a classifier has no place for them."""
SHOWN = 5
"""Differences of weights and config that an error lists."""


def open_vision(source: Artifact | Path, labels: Sequence[str] | None = None, *, seed: int = 0) -> Network:
    """Load an HF folder.

    Args:
        labels: names of the data's classes. A network without a head gets a new one for them; one with a head keeps
            its own names and their order (see ``nets.network.class_names``).
        seed: of a new head's weights.

    Raises:
        ModelError: config, weights and processor disagree, or the head does not classify into ``labels``.
        UnsafeFile: the config wants to run code of its own.
    """
    folder = source.path if isinstance(source, Artifact) else source
    config = read_vision_config(folder)
    headed = has_vision_head(config, weights(folder))
    names = class_names(labels_of(config) if headed else None, labels)
    net = _loaded(folder, config, names, headed, seed)
    meta = dict(source.meta) if isinstance(source, Artifact) else {}
    return Network(net, reader_in(folder), names, headed, meta, listed=blocks)


def save_vision(network: Network, folder: Path) -> Path:
    """Write config, weights (safetensors) and processor as an HF folder; ``open_vision`` reads it back.

    The folder is made when it does not exist; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    net: Any = network.net
    net.config.id2label = dict(enumerate(network.labels))
    net.config.label2id = {name: i for i, name in enumerate(network.labels)}
    with quiet():
        net.save_pretrained(folder, max_shard_size="100GB")
    network.reader.save(folder)
    return folder


def check_vision(folder: Path) -> None:
    """Open a folder, to see whether config, weights and processor fit.

    Raises:
        ModelError: they do not.
    """
    config = read_vision_config(folder)
    headed = has_vision_head(config, weights(folder))
    _loaded(folder, config, labels_of(config), headed, 0)
    reader_in(folder)


def _loaded(folder: Path, raw: dict[str, Any], names: Sequence[str], headed: bool, seed: int) -> nn.Module:
    """The network with the weights of a folder, in eval mode; a head that they lack is random, from ``seed``."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        config.id2label = dict(enumerate(names))
        config.label2id = {name: i for i, name in enumerate(names)}
        config.problem_type = None
        with quiet(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net, told = _class_of(raw).from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused below, by their names
            )
    except Exception as error:  # transformers raises what its parts raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"{folder} holds no network that can be opened ({reason[0]}).") from error
    _refuse_differences(folder, told, headed)
    pool_whole(net)
    opened: nn.Module = net.eval()
    return opened


def pool_whole(net: nn.Module) -> None:
    """Let an EfficientNet average all places, as it does, without the kernel by which transformers says so.

    The kernel is as large as the network is wide, far larger than what it is laid upon; OpenVINO refuses that.
    """
    base: Any = getattr(net, "efficientnet", None)
    pooler = getattr(base, "pooler", None)
    if isinstance(pooler, nn.AvgPool2d) and base.config.hidden_dim >= base.config.image_size:
        base.pooler = nn.AdaptiveAvgPool2d(1)


def _class_of(config: dict[str, Any]) -> Any:
    named = [name for name in named_architectures(config) if name.endswith(HEADED)]
    return getattr(transformers, named[0]) if named else AutoModelForImageClassification


def _refuse_differences(folder: Path, told: dict[str, Any], headed: bool) -> None:
    """Raises ModelError: weights that are missing, have no place or another shape; a new head may be missing."""

    def of_head(name: str) -> bool:
        return not headed and name.partition(".")[0] in PICTURE_HEADS

    problems = [f"{name} is missing from the weights" for name in sorted(told["missing_keys"]) if not of_head(name)]
    problems += [
        f"{name} has no place in the config's network"
        for name in sorted(told["unexpected_keys"])
        if not of_head(name) and not set(name.split(".")) & set(PRETRAINING)
    ]
    problems += [
        f"{name} is {list(of_file)} in the weights and {list(by_config)} by the config"
        for name, of_file, by_config in sorted(told["mismatched_keys"])
        if not of_head(name)
    ]
    if not problems:
        return
    first = "".join(f"\n  - {problem}" for problem in problems[:SHOWN])
    more = f"\n  - and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    raise ModelError(
        f"{folder}: config.json does not describe the weights:{first}{more}",
        fix="take config.json and the weights from the same place",
    )
