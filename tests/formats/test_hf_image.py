"""A classifier of pictures in an HF folder is opened and saved bit for bit, and its facts are told from its headers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError, UnsafeFile
from lighten.core.matching import fits
from lighten.core.rows import Parts, Rows
from lighten.formats.hf_image import HfImage
from lighten.models.bring import bring
from lighten.models.recognize import recognize
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_pictures import FAMILIES, LABELS, tiny_vision_folder


def test_it_keeps_the_contract_of_formats(tmp_path: Path) -> None:
    check_declaration(HfImage())
    folder = tiny_vision_folder(tmp_path / "a", "resnet")
    once = HfImage().open(Artifact.seal(folder, format="hf-image", meta={"labels": list(LABELS)}), LABELS)
    (tmp_path / "b").mkdir()
    meta = HfImage().save(once, tmp_path / "b")
    again = check_round_trip(HfImage(), Artifact.seal(tmp_path / "b", format="hf-image", meta=meta), tmp_path / "again")
    known = HfImage().facts(again.path)
    assert (known["layers"], known["channels"], known["labels"]) == (5, 3, LABELS)


def test_steps_and_engines_that_take_float_networks_take_it() -> None:
    assert fits("hf-image", ("hf",))
    assert not fits("hf", ("hf-image",))


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_recognised_and_brought(tmp_path: Path, family: str) -> None:
    folder = tiny_vision_folder(tmp_path / "a", family)
    found = recognize(folder)
    assert (found.format, found.tasks) == ("hf-image", ("image_classification",))
    assert found.described.startswith("a classifier of pictures (") and "ForImageClassification" in found.name
    artifact = bring(str(folder), tmp_path / "b")
    assert artifact.format == "hf-image" and artifact.meta["labels"] == list(LABELS)
    assert set(artifact.files) == {"config.json", "preprocessor_config.json", "model.safetensors"}


def test_a_network_without_a_head_is_brought(tmp_path: Path) -> None:
    folder = tiny_vision_folder(tmp_path / "a", "convnext", head=False)
    assert recognize(folder).described == "a network for pictures (ConvNextModel)"
    assert bring(str(folder), tmp_path / "b").meta["labels"] == []
    assert not HfImage().facts(tmp_path / "b")["has_head"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "beit", "architectures": ["BeitForImageClassification"]}, "does not open .BeitForImage"),
        ({"model_type": "bit", "architectures": ["BitForImageClassification"]}, "does not open .BitForImage"),
        ({"architectures": ["ResNetForDepthEstimation"]}, "with another job than to classify"),
        ({"problem_type": "multi_label_classification"}, "says yes or no to each label"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantized already, with FP8"),
        ({"auto_map": {"AutoModel": "evil.py"}}, "auto_map"),
        ({"depths": [2, 4]}, "is missing from the weights"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    path = tiny_vision_folder(tmp_path / "a") / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises((ModelError, UnsafeFile), match=said):
        bring(str(tmp_path / "a"), tmp_path / "b")
    assert not (tmp_path / "b" / "lighten.json").exists()


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    tiny_vision_folder(tmp_path / "a")
    (tmp_path / "a" / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"it has no preprocessor_config\.json"):
        recognize(tmp_path / "a")
    tiny_vision_folder(tmp_path / "b")
    (tmp_path / "b" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="has no weights"):
        recognize(tmp_path / "b")


@pytest.mark.parametrize("family", ["resnet", "vit"])
def test_a_head_that_knows_none_of_the_labels_is_left_out(tmp_path: Path, family: str) -> None:
    artifact = bring(str(tiny_vision_folder(tmp_path / "a", family)), tmp_path / "b")
    assert HfImage().suit(artifact, labelled("dark", "bright")) == artifact
    assert HfImage().suit(artifact, labelled()) == artifact
    bare = HfImage().suit(artifact, labelled("shirt", "shoe"))
    assert bare.meta["labels"] == [] and not HfImage().facts(bare.path)["has_head"]
    assert Artifact.open(bare.path).id == bare.id != artifact.id
    network = HfImage().open(bare, ("shirt", "shoe"))
    assert network.labels == ("shirt", "shoe") and not network.has_head


def labelled(*labels: str) -> Parts:
    """Parts of data with these labels, and no rows."""
    none = Rows((), ())
    return Parts(none, none, none, none, labels)
