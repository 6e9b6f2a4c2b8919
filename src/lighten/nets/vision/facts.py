"""What is known of a network for pictures from its config and its headers alone: no torch, no weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import ceil
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError, UnsafeFile
from lighten.files.json_file import read_object
from lighten.nets.architectures import HEADED, PICTURE_HEADS, PICTURES, is_headed
from lighten.nets.facts import labels_of, number_formats_of, weights

ATTENTIVE = ("vit", "deit", "swin", "swinv2")
"""Families (``model_type``) whose arithmetic is in matrix products, with attention between them."""
MIXED = ("convnext", "convnextv2")
"""Families of convolutions for each channel, and matrix products."""
CONVOLUTIONAL = ("resnet", "mobilenet_v1", "mobilenet_v2", "efficientnet")
"""Families whose arithmetic is in convolutions."""
BARE = ("Model", "ForMaskedImageModeling", "Backbone")
"""How the name of an architecture ends that has no head, and gets one."""
MOBILENETS = {"mobilenet_v1": 13, "mobilenet_v2": 16}
"""Blocks of families whose configs do not count them."""


def read_vision_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a network for pictures.

    Raises:
        ModelError: it is missing, not JSON, or of a family that lighten does not open.
        UnsafeFile: it wants to run code of its own.
    """
    path = folder / "config.json"
    config = read_object(path, missing={})
    if config.get("model_type") not in PICTURES:
        raise ModelError(
            f"{path} describes the architecture {config.get('model_type')!r}, which is none for pictures here.",
            allowed=", ".join(PICTURES),
        )
    if "auto_map" in config:
        raise UnsafeFile(f"{path} names Python code to run (auto_map).", allowed="known architectures")
    return config


def has_vision_head(config: Mapping[str, Any], tensors: Collection[str]) -> bool:
    """Whether the weights, by their names, hold a head that classifies pictures."""
    headed = is_headed(config, tensors, HEADED, PICTURE_HEADS)
    return headed and any(name.partition(".")[0] in PICTURE_HEADS for name in tensors)


def vision_facts(folder: Path) -> dict[str, Any]:
    """Facts of a network for pictures in an HF folder, for the steps' ``check`` and for reports.

    Returns:
        ``family``, ``layers`` (blocks: residual ones, inverted ones, those of a transformer), ``stages`` (blocks of
        each, where it has several), ``channels``, ``size``
        (pixels of a side that it was made for; 0 where it takes any), ``parameters``, ``labels`` (tuple; empty without
        a head), ``has_head``, ``format``, ``reader``, ``convolutions`` (whether nearly all arithmetic is in them),
        ``attention`` (whether it has any), and the number formats of the weights.

    Raises:
        ModelError: the folder's config or headers cannot be read.
    """
    config, tensors = read_vision_config(folder), weights(folder)
    headed, family = has_vision_head(config, tensors), str(config["model_type"])
    return {
        "family": family,
        "layers": sum(stages_of(config)),
        "stages": stages_of(config),
        "channels": int(config.get("num_channels", 3)),
        "size": _side(config),
        "parameters": sum(tensor.elements for tensor in tensors.values()),
        "labels": labels_of(config) if headed else (),
        "has_head": headed,
        "format": "hf-image",
        "reader": "image",
        "convolutions": family in CONVOLUTIONAL,
        "attention": family in ATTENTIVE,
        **number_formats_of(tensors),
    }


def stages_of(config: Mapping[str, Any]) -> tuple[int, ...]:
    """How many blocks each stage of a network has; one stage where they are one list of equal ones.

    Raises:
        ModelError: its config does not say.
    """
    family = config["model_type"]
    if family in MOBILENETS:
        return (MOBILENETS[family],)
    counts = config.get("depths") or config.get("num_block_repeats") or [config.get("num_hidden_layers", 12)]
    try:
        scale = float(config.get("depth_coefficient", 1.0))
        return tuple(ceil(scale * count) for count in counts)
    except (TypeError, ValueError) as error:
        raise ModelError(f"config.json does not say how many blocks the network has ({counts!r}).") from error


def _side(config: Mapping[str, Any]) -> int:
    side = config.get("image_size", 0)
    side = max(side) if isinstance(side, list) and side else side
    return side if isinstance(side, int) else 0
