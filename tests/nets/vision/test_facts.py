"""What the config and the headers of a network for pictures say, without torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import ModelError
from lighten.nets.vision.facts import vision_facts
from lighten.nets.vision.network import open_vision
from lighten.testing.tiny_pictures import FAMILIES, LABELS, SIDE, tiny_vision_folder


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_and_labels_are_those_of_the_network(tmp_path: Path, family: str) -> None:
    folder = tiny_vision_folder(tmp_path, family)
    found, net = vision_facts(folder), open_vision(folder).net
    assert found["parameters"] == sum(t.numel() for t in net.state_dict().values())
    assert (found["family"], found["channels"], found["labels"]) == (family, 3, LABELS)
    assert found["has_head"] and found["format"] == "hf-image" and found["reader"] == "image"
    assert found["size"] == (SIDE if "size" in str(net.config.to_dict().get("image_size", "size")) else found["size"])


def test_blocks_kinds_and_heads(tmp_path: Path) -> None:
    known = {family: vision_facts(tiny_vision_folder(tmp_path / family, family)) for family in FAMILIES}
    blocks = {family: found["layers"] for family, found in known.items()}
    assert blocks == {
        "resnet": 5, "mobilenet_v1": 13, "mobilenet_v2": 16, "efficientnet": 5, "convnext": 5, "convnextv2": 5,
        "vit": 4, "deit": 4, "swin": 6, "swinv2": 6,
    }  # fmt: skip
    assert {family for family, found in known.items() if found["convolutions"]} == {
        "resnet", "mobilenet_v1", "mobilenet_v2", "efficientnet",
    }  # fmt: skip
    assert {family for family, found in known.items() if found["attention"]} == {"vit", "deit", "swin", "swinv2"}
    bare = vision_facts(tiny_vision_folder(tmp_path / "bare", "vit", head=False, channels=1))
    assert (bare["has_head"], bare["labels"], bare["channels"], bare["size"]) == (False, (), 1, SIDE)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="'bert', which is none for pictures here"):
        vision_facts(tmp_path)
