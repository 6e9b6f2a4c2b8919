"""What ``preprocessor_config.json`` says is done to a picture, and doing it as the model's own processor does.

The processors of transformers work on arrays of floats, several times over; here a picture stays in eight bits until it
is resized and cropped, and a table of 256 entries for each channel then gives the very same floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import ModelError
from lighten.readers._pixels import check_size

if TYPE_CHECKING:
    from PIL.Image import Image

_HALF = (0.5, 0.5, 0.5)
_CLIP_MEAN, _CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_BILINEAR, _BICUBIC = 2, 3
_SHARED = {
    "do_resize": True,
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": _HALF,
    "image_std": _HALF,
    "resample": _BILINEAR,
    "default_to_square": True,
}
_MOBILENET = {"size": {"shortest_edge": 256}, "crop_size": 224, "do_center_crop": True, "default_to_square": False}
_BIT = {
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
    "resample": _BICUBIC,
    "image_mean": _CLIP_MEAN,
    "image_std": _CLIP_STD,
    "default_to_square": False,
}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ViTImageProcessor": {"size": 224},
    "DeiTImageProcessor": {"size": 256, "crop_size": 224, "do_center_crop": True, "resample": _BICUBIC},
    "ConvNextImageProcessor": {
        "size": {"shortest_edge": 384},
        "crop_pct": 224 / 256,
        "resample": _BICUBIC,
        "default_to_square": False,
    },
    "EfficientNetImageProcessor": {
        "size": 346,
        "crop_size": 289,
        "resample": _BICUBIC,
        "rescale_offset": False,
        "include_top": True,
    },
    "MobileNetV1ImageProcessor": _MOBILENET,
    "MobileNetV2ImageProcessor": _MOBILENET,
    "BitImageProcessor": _BIT,
}
"""Processors that are known, with what they do where the file does not say, beside ``_SHARED``."""
PROCESSOR_OF: Mapping[str, str] = {
    "vit": "ViTImageProcessor",
    "swin": "ViTImageProcessor",
    "swinv2": "ViTImageProcessor",
    "deit": "DeiTImageProcessor",
    "resnet": "ConvNextImageProcessor",
    "convnext": "ConvNextImageProcessor",
    "convnextv2": "ConvNextImageProcessor",
    "efficientnet": "EfficientNetImageProcessor",
    "mobilenet_v1": "MobileNetV1ImageProcessor",
    "mobilenet_v2": "MobileNetV2ImageProcessor",
}
"""Processor of a model's family (``model_type``), for files that do not name it."""
_OTHER = ("do_pad", "do_flip_channel_order", "do_thumbnail", "do_align_long_axis", "do_reduce_labels")
"""What some processors do beside, and no reader of ours."""
_WARPED = 384
"""ConvNeXt crops pictures below this size, and warps larger ones."""


@dataclass(frozen=True)
class Processing:
    """What is done to a picture, in this order: resize, crop, levels to floats.

    Attributes:
        height, width: that it is resized to; of one whose ``shortest`` edge is given, 0.
        shortest: that its shorter edge is resized to; 0 for none.
        crop: height and width that are cut from its middle; zeros for none. A smaller picture gets a black margin.
        resample: number of Pillow's filter.
        levels: the float of each grey level: float32 [channels, 256].
    """

    height: int
    width: int
    shortest: int
    crop: tuple[int, int]
    resample: int
    levels: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width of every picture afterwards; None where they differ."""
        if self.crop[0]:
            return self.crop
        return (self.height, self.width) if self.height else None

    def apply(self, image: Image, name: str = "A picture") -> Image:
        """The picture resized and cropped.

        Args:
            name: what errors call it.

        Raises:
            DataError: it is so long and narrow that its shorter edge cannot be made so long.
        """
        size = (self.width, self.height)
        if self.shortest:
            short, long = sorted(image.size)
            other = int(self.shortest * long / short)
            size = (self.shortest, other) if image.width <= image.height else (other, self.shortest)
        if all(size) and size != image.size:
            check_size(*size, name, f"resized to a shorter edge of {self.shortest}")
            image = image.resize(size, self.resample)
        if self.crop[0] and self.crop != (image.height, image.width):
            top, left = (image.height - self.crop[0]) // 2, (image.width - self.crop[1]) // 2
            image = image.crop((left, top, left + self.crop[1], top + self.crop[0]))
        return image


def resolved(settings: Mapping[str, Any], family: str, place: str) -> dict[str, Any]:
    """The content of ``preprocessor_config.json`` with all that it leaves to its processor filled in.

    Args:
        family: of the model (``model_type``); empty when it is not known. place: what errors call the file.

    Raises:
        ModelError: a processor that is not known.
    """
    named = settings.get("image_processor_type") or settings.get("feature_extractor_type") or PROCESSOR_OF.get(family)
    name = str(named or "").removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    if name not in DEFAULTS:
        seen = named or (f"the family {family!r}" if family else "no processor that it names")
        raise ModelError(
            f"{place} is for {seen}.",
            allowed=", ".join(DEFAULTS),
            fix="write the same steps as a configuration of one of these",
        )
    asked = [key for key in _OTHER if settings.get(key)]
    if asked:
        raise ModelError(f"{place} asks for {', '.join(asked)}.", allowed="resize, crop, rescale and normalise")
    given = {key: value for key, value in settings.items() if value is not None}
    return {**_SHARED, **DEFAULTS[name], **given, "image_processor_type": name}


def processing(settings: Mapping[str, Any], channels: int, place: str) -> Processing:
    """What resolved settings do.

    Raises:
        ModelError: a setting that its processor refuses too, or means for another number of channels.
    """
    try:
        levels = _levels(settings, channels, place)
        height = width = shortest = 0
        crop = (0, 0)
        if settings["do_resize"]:
            height, width, shortest = _size(settings["size"], bool(settings["default_to_square"]), place)
        if settings["do_center_crop"]:
            crop = _size(settings["crop_size"], True, place)[:2]
        if "crop_pct" in settings and settings["do_resize"]:
            if not shortest:
                raise ModelError(f"{place}: size is {settings['size']!r}.", allowed="shortest_edge for this processor")
            if shortest >= _WARPED:
                height, width, shortest = shortest, shortest, 0
            else:
                inner = (shortest, shortest)
                crop, shortest = crop if crop[0] else inner, int(shortest / float(settings["crop_pct"]))
        return Processing(height, width, shortest, crop, int(settings["resample"]), levels)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(f"{place} does not say what is done to a picture ({error!r}).") from error


def _levels(settings: Mapping[str, Any], channels: int, place: str) -> NDArray[np.float32]:
    """The float of each level of each channel, in the arithmetic of the reference: float64 to rescale, then float32."""
    level = np.arange(256, dtype=np.float64)
    if settings["do_rescale"]:
        level = level * float(settings["rescale_factor"])
    rescaled = level.astype(np.float32)
    if settings["do_rescale"] and settings.get("rescale_offset"):
        rescaled = rescaled - np.float32(1)
    levels = np.tile(rescaled, (channels, 1))
    if settings["do_normalize"]:
        mean, std = (_each(settings[name], channels, name, place) for name in ("image_mean", "image_std"))
        levels = (levels - mean) / std
    if settings.get("include_top"):
        levels = levels / _each(settings["image_std"], channels, "image_std", place)
    return np.ascontiguousarray(levels, np.float32)


def _each(value: float | Sequence[float], channels: int, name: str, place: str) -> NDArray[np.float32]:
    """A number for each channel: [channels, 1]."""
    numbers = [value] * channels if isinstance(value, int | float) else list(value)
    if len(numbers) != channels:
        raise ModelError(
            f"{place}: {name} has {len(numbers)} numbers, and the network takes {channels} channels.",
            allowed="one number for each channel",
            fix="take the processor's configuration and the weights from the same place",
        )
    return np.array(numbers, np.float32)[:, None]


def _size(value: Any, square: bool, place: str) -> tuple[int, int, int]:
    """Height, width and shortest edge of a size in any of the ways that it is written; what is not given is 0."""
    if isinstance(value, int | float):
        return (int(value), int(value), 0) if square else (0, 0, int(value))
    if isinstance(value, list | tuple) and len(value) == 2:
        return int(value[0]), int(value[1]), 0
    if isinstance(value, Mapping) and set(value) == {"height", "width"}:
        return int(value["height"]), int(value["width"]), 0
    if isinstance(value, Mapping) and set(value) == {"shortest_edge"}:
        return 0, 0, int(value["shortest_edge"])
    raise ModelError(f"{place}: a size is {value!r}.", allowed="a number, height and width, or shortest_edge")
