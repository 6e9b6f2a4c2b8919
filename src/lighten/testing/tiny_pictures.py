"""Tiny random networks for pictures, in the layout of the HF hub, and pictures to ask them; no network is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

from lighten.core.item import Reference
from lighten.core.rows import Rows
from lighten.isolate.quiet import quiet
from lighten.readers.image import ImageReader

SIDE = 32
"""Pixels of a side that the tiny networks take."""
LABELS = ("bright", "dark", "striped")
_PROCESSORS: Mapping[str, dict[str, Any]] = {
    "ViTImageProcessor": {"size": {"height": SIDE, "width": SIDE}},
    "ConvNextImageProcessor": {"size": {"shortest_edge": SIDE}, "crop_pct": 1.0},
    "EfficientNetImageProcessor": {
        "size": {"height": SIDE, "width": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}, "include_top": False,
    },
    "MobileNetV2ImageProcessor": {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}},
}  # fmt: skip

_STAGES = {"hidden_sizes": [8, 16], "depths": [2, 3]}
_LAYERS = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64}
_SWIN = {"embed_dim": 16, "depths": [2, 4], "num_heads": [2, 4], "window_size": 4, "patch_size": 2}
_SHAPES: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "resnet": ("ResNet", "ConvNextImageProcessor", {"embedding_size": 8, "layer_type": "basic", **_STAGES}),
    "mobilenet_v1": ("MobileNetV1", "MobileNetV2ImageProcessor", {"depth_multiplier": 0.25, "min_depth": 8}),
    "mobilenet_v2": ("MobileNetV2", "MobileNetV2ImageProcessor", {"depth_multiplier": 0.25, "min_depth": 8}),
    "efficientnet": (
        "EfficientNet",
        "EfficientNetImageProcessor",
        {
            "width_coefficient": 0.25, "depth_coefficient": 1.0, "hidden_dim": 320, "kernel_sizes": [3, 3],
            "in_channels": [32, 16], "out_channels": [16, 24], "strides": [1, 2], "num_block_repeats": [2, 3],
            "expand_ratios": [1, 6], "depthwise_padding": [2],
        },
    ),
    "convnext": ("ConvNext", "ConvNextImageProcessor", {"num_stages": 2, "layer_scale_init_value": 0.5, **_STAGES}),
    "convnextv2": ("ConvNextV2", "ConvNextImageProcessor", {"num_stages": 2, **_STAGES}),
    "vit": ("ViT", "ViTImageProcessor", {"patch_size": 8, **_LAYERS}),
    "deit": ("DeiT", "ViTImageProcessor", {"patch_size": 8, **_LAYERS}),
    "swin": ("Swin", "ViTImageProcessor", _SWIN),
    "swinv2": ("Swinv2", "ViTImageProcessor", _SWIN),
}  # fmt: skip
FAMILIES = tuple(_SHAPES)
"""Families that can be made."""


def tiny_vision_folder(
    folder: Path, family: str = "resnet", *, channels: int = 3, head: bool = True, seed: int = 0, **changed: Any
) -> Path:
    """Write a random network with its processor as an HF folder and return the folder.

    Args:
        family: one of ``FAMILIES``. head: whether it classifies into ``LABELS``; else it has no head.
        changed: of its config.
    """
    name, processor, shape = _SHAPES[family]
    config = getattr(transformers, f"{name}Config")(num_channels=channels, image_size=SIDE, **{**shape, **changed})
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: i for i, label in enumerate(LABELS)}
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        net = getattr(transformers, f"{name}{'ForImageClassification' if head else 'Model'}")(config)
        _liven(net)
        net.save_pretrained(folder)
    settings = {
        **_PROCESSORS[processor],
        "image_processor_type": processor,
        "image_mean": [0.5] * channels,
        "image_std": [0.5] * channels,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def _liven(net: Any) -> None:
    """Weights at which a network this small tells pictures apart, and statistics of batch norms that are none of a new
    one's: a network that forgets them answers otherwise."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        elif isinstance(module, torch.nn.Linear):
            module.weight.data.mul_(4.0)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)


def tiny_pictures(folder: Path, count: int, *, seed: int = 0, channels: int = 3) -> Rows:
    """PNG files in ``folder``, and the rows that they make: bright, dark or striped, in turns, with noise."""
    rng, draw = np.random.default_rng(seed), _drawings()
    folder.mkdir(parents=True, exist_ok=True)
    items: list[Reference] = []
    for number in range(count):
        levels = draw[LABELS[number % len(LABELS)]]() + rng.normal(0.0, 20.0, (SIDE, SIDE, channels))
        pixels = np.clip(levels, 0, 255).astype(np.uint8)
        path = folder / f"{number}.png"
        Image.fromarray(pixels if channels == 3 else pixels[:, :, 0]).save(path)
        items.append(ImageReader.describe(path))
    return Rows(tuple(items), tuple(number % len(LABELS) for number in range(count)))


def _drawings() -> Mapping[str, Callable[[], np.ndarray[Any, Any]]]:
    stripes = np.where(np.arange(SIDE) % 8 < 4, 220.0, 30.0)[:, None, None]
    return {"bright": lambda: np.array(190.0), "dark": lambda: np.array(60.0), "striped": lambda: stripes}
