"""What is done to a picture is what the processors of transformers do to it, to the last bit of every float."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lighten.core.errors import ModelError
from lighten.readers._processing import DEFAULTS, PROCESSOR_OF, processing, resolved
from lighten.readers.image import PIXELS, ImageReader

MODULES = {
    "ViT": "vit", "DeiT": "deit", "ConvNext": "convnext", "EfficientNet": "efficientnet", "MobileNetV1": "mobilenet_v1",
    "MobileNetV2": "mobilenet_v2", "Bit": "bit",
}  # fmt: skip
SIZES = ((64, 48), (31, 47), (300, 257), (20, 500), (33, 33))
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("ViT", {}),
    ("ViT", {"size": 30, "resample": 3}),
    ("ViT", {"size": [30, 22], "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}),
    ("ViT", {"size": {"height": 17, "width": 40}, "do_normalize": False}),
    ("ViT", {"size": {"shortest_edge": 25}, "do_center_crop": True, "crop_size": {"height": 28, "width": 20}}),
    ("ViT", {"do_resize": False, "do_center_crop": True, "crop_size": 50}),
    ("ViT", {"size": 24, "do_rescale": False}),
    ("ViT", {"size": 24, "rescale_factor": 1 / 128, "image_mean": [127 / 128] * 3, "image_std": [1.0] * 3}),
    ("DeiT", {}),
    ("DeiT", {"size": {"height": 40, "width": 40}, "crop_size": 31, "resample": 0}),
    ("ConvNext", {"size": {"shortest_edge": 32}}),
    ("ConvNext", {"size": {"shortest_edge": 32}, "crop_pct": 0.95}),
    ("ConvNext", {"size": 384}),
    ("ConvNext", {"size": 29, "resample": 2, "crop_pct": 0.875}),
    ("EfficientNet", {"size": 40}),
    ("EfficientNet", {"size": 40, "rescale_offset": True, "rescale_factor": 1 / 127.5, "include_top": False}),
    ("EfficientNet", {"size": 40, "resample": 0, "do_normalize": False, "do_center_crop": True, "crop_size": 33}),
    ("MobileNetV1", {}),
    ("MobileNetV1", {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}),
    ("MobileNetV2", {"size": {"shortest_edge": 37}, "crop_size": 36, "resample": 1}),
    ("Bit", {"size": {"shortest_edge": 40}, "crop_size": 32}),
]


def drawn(width: int, height: int, mode: str = "RGB") -> Image.Image:
    channels = {"L": (), "RGB": (3,)}[mode]
    levels = np.random.default_rng(width * height).integers(0, 256, (height, width, *channels))
    return Image.fromarray(levels.astype(np.uint8))


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=lambda value: str(value)[:60])
def test_floats_are_those_of_the_reference(name: str, settings: dict[str, Any]) -> None:
    module = importlib.import_module(f"transformers.models.{MODULES[name]}.image_processing_pil_{MODULES[name]}")
    reference = getattr(module, f"{name}ImageProcessorPil")(**settings)
    reader = ImageReader({**settings, "image_processor_type": f"{name}ImageProcessor"}, 3)
    for width, height in SIZES:
        image = drawn(width, height)
        (wanted,) = reference(image)[PIXELS]
        ours = reader.batch([reader._processed(image, "it")])[PIXELS]
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours[0], wanted)


def test_grey_pictures_are_those_of_the_reference() -> None:
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    settings = {"size": {"height": 28, "width": 28}, "image_mean": [0.2860], "image_std": [0.3530]}
    reader, reference = (
        ImageReader({**settings, "image_processor_type": "ViTImageProcessor"}, 1),
        ViTImageProcessorPil(**settings),
    )
    for width, height in (*SIZES, (28, 28)):
        image = drawn(width, height, "L")
        (wanted,) = reference(image, input_data_format="channels_first")[PIXELS]
        np.testing.assert_array_equal(reader.batch([reader._processed(image, "it")])[PIXELS][0], wanted)


def test_what_a_file_leaves_open_is_what_its_processor_does() -> None:
    for name, module in MODULES.items():
        found = importlib.import_module(f"transformers.models.{module}.image_processing_pil_{module}")
        theirs = getattr(found, f"{name}ImageProcessorPil")()
        ours = resolved({"image_processor_type": f"{name}ImageProcessor"}, "", "it")
        for key in ("do_resize", "do_rescale", "do_normalize", "rescale_factor", "resample", "crop_pct"):
            assert ours.get(key) == getattr(theirs, key, None), (name, key)
        assert bool(ours["do_center_crop"]) == bool(theirs.do_center_crop), name
        assert tuple(ours["image_mean"]) == tuple(theirs.image_mean), name
    assert {f"{name}ImageProcessor" for name in MODULES} == set(DEFAULTS)
    assert set(PROCESSOR_OF.values()) <= set(DEFAULTS)


def test_an_old_file_without_a_name_is_known_by_the_family_of_its_model() -> None:
    old = resolved({"feature_extractor_type": "ConvNextFeatureExtractor", "size": 224}, "", "it")
    unnamed = resolved({"size": 224, "crop_pct": None}, "resnet", "it")
    assert old["image_processor_type"] == unnamed["image_processor_type"] == "ConvNextImageProcessor"
    made = processing(unnamed, 3, "it")
    assert (made.shortest, made.crop, made.shape) == (256, (224, 224), (224, 224))


@pytest.mark.parametrize(
    ("settings", "family", "seen"),
    [
        ({"image_processor_type": "SamImageProcessor"}, "", "is for SamImageProcessor"),
        ({}, "wav2vec2", "'wav2vec2'"),
        ({}, "", "no processor that it names"),
        ({"image_processor_type": "ViTImageProcessor", "do_pad": True}, "", "asks for do_pad"),
    ],
)
def test_other_processors_are_refused(settings: dict[str, Any], family: str, seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        resolved(settings, family, "it")


@pytest.mark.parametrize(
    ("settings", "channels", "seen"),
    [
        ({"image_mean": [0.5]}, 3, "image_mean has 1 numbers, and the network takes 3 channels"),
        ({"image_std": [0.5, 0.5, 0.5]}, 1, "image_(mean|std) has 3 numbers, and the network takes 1 channel"),
        ({"size": {"longest_edge": 3}}, 3, "a size is"),
        ({"size": "large"}, 3, "a size is 'large'"),
        ({"resample": "soft"}, 3, "does not say what is done"),
        ({"image_processor_type": "ConvNextImageProcessor", "size": {"height": 32, "width": 32}}, 3, "size is"),
    ],
)
def test_settings_that_fit_nothing_are_refused(settings: dict[str, Any], channels: int, seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        processing(resolved({"image_processor_type": "ViTImageProcessor", **settings}, "", "it"), channels, "it")
