"""Networks for pictures: opened, saved, answered as plain transformers does, refused where files do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification

from lighten.core.errors import ModelError, UnsafeFile
from lighten.nets.architectures import PICTURES
from lighten.nets.forward import logits
from lighten.nets.vision.network import open_vision, save_vision
from lighten.testing.tiny_pictures import FAMILIES, LABELS, tiny_pictures, tiny_vision_folder


@pytest.mark.parametrize("family", FAMILIES)
def test_saves_what_it_opened_and_plain_transformers_answers_the_same(tmp_path: Path, family: str) -> None:
    rows = tiny_pictures(tmp_path / "pictures", 9)
    network = open_vision(tiny_vision_folder(tmp_path / "a", family))
    wanted = logits(network, rows.inputs, 1)
    assert np.ptp(wanted, axis=0).max() > 0.02, "every picture gets the same answer"
    save_vision(network, tmp_path / "b")
    again = open_vision(tmp_path / "b")
    assert again.labels == LABELS and again.has_head
    np.testing.assert_array_equal(logits(again, rows.inputs, 1), wanted)
    for most in (1, 10_000_000):
        np.testing.assert_allclose(logits(again, rows.inputs, 1, most), wanted, atol=1e-4 * (1 + np.abs(wanted).max()))
    plain = AutoModelForImageClassification.from_pretrained(tmp_path / "b").eval()
    pixels = torch.from_numpy(again.reader.batch(again.reader(rows.inputs))["pixel_values"])
    with torch.inference_mode():
        found = plain(pixels).logits.numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4 * (1 + np.abs(wanted).max()))


def test_every_family_that_is_opened_can_be_tried() -> None:
    assert set(PICTURES) == set(FAMILIES)


@pytest.mark.parametrize("family", ["resnet", "vit", "swin"])
def test_a_network_without_a_head_gets_one_for_the_datas_classes(tmp_path: Path, family: str) -> None:
    folder = tiny_vision_folder(tmp_path / "a", family, head=False)
    with pytest.raises(ModelError, match="no classification head"):
        open_vision(folder)
    one, same, other = (open_vision(folder, ("a", "b"), seed=seed) for seed in (1, 1, 2))
    assert one.labels == ("a", "b") and not one.has_head
    rows = tiny_pictures(tmp_path / "pictures", 3)
    first = logits(one, rows.inputs, 1)
    assert first.shape == (3, 2)
    np.testing.assert_array_equal(logits(same, rows.inputs, 1), first)
    assert np.abs(logits(other, rows.inputs, 1) - first).max() > 1e-4


def test_classes_that_the_head_does_not_have_are_refused(tmp_path: Path) -> None:
    folder = tiny_vision_folder(tmp_path / "a")
    assert open_vision(folder, ("dark", "bright")).labels == LABELS
    with pytest.raises(ModelError, match="classifies into bright, dark, striped; the data has dark, pink"):
        open_vision(folder, ("dark", "pink"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"depths": [2, 2]}, "has no place in the config's network"),
        ({"depths": [2, 4]}, "is missing from the weights"),
        ({"num_channels": 1}, r"is \[8, 3, 7, 7\] in the weights and \[8, 1, 7, 7\] by the config"),
        (
            {"hidden_sizes": [8, 24]},
            r"is \[16, 8, 3, 3\] in the weights and \[24, 8, 3, 3\] by the config",
        ),
        ({"model_type": "yolos"}, "'yolos', which is none for pictures here"),
        ({"layer_type": "round"}, "holds no network that can be opened"),
    ],
)
def test_a_config_that_does_not_fit_the_weights_is_refused(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    path = tiny_vision_folder(tmp_path / "a") / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(ModelError, match=said):
        open_vision(tmp_path / "a")


@pytest.mark.parametrize(
    ("family", "changed", "said"),
    [
        ("resnet", {"image_mean": [0.5]}, "image_mean has 1 numbers, and the network takes 3 channels"),
        (
            "vit",
            {"size": {"height": 16, "width": 16}},
            "pictures of 16 x 16 pixels, and the network takes 32 x 32",
        ),
    ],
)
def test_a_processor_that_does_not_fit_the_network_is_refused(
    tmp_path: Path, family: str, changed: dict[str, object], said: str
) -> None:
    path = tiny_vision_folder(tmp_path / "a", family) / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(ModelError, match=said):
        open_vision(tmp_path / "a")


def test_code_of_its_own_is_refused(tmp_path: Path) -> None:
    path = tiny_vision_folder(tmp_path / "a") / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": {"AutoModel": "evil.py"}}))
    with pytest.raises(UnsafeFile, match="auto_map"):
        open_vision(tmp_path / "a")


def test_a_missing_weight_of_the_head_is_refused(tmp_path: Path) -> None:
    path = tiny_vision_folder(tmp_path / "a") / "model.safetensors"
    state = load_file(path)
    del state["classifier.1.bias"]
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"classifier\.1\.bias is missing"):
        open_vision(tmp_path / "a")


def test_a_grey_network_takes_grey_pictures(tmp_path: Path) -> None:
    network = open_vision(tiny_vision_folder(tmp_path / "a", channels=1))
    colour, grey = (tiny_pictures(tmp_path / str(n), 3, channels=n) for n in (3, 1))
    assert logits(network, (*colour.inputs, *grey.inputs), 1).shape == (6, 3)
