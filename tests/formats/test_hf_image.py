"""A classifier of pictures in an HF folder is opened and saved bit for bit, and its facts are told from its headers."""

from __future__ import annotations

from pathlib import Path

from lighten.core.artifact import Artifact
from lighten.core.matching import fits
from lighten.formats.hf_image import HfImage
from lighten.testing.format_contract import check_declaration, check_round_trip
from lighten.testing.tiny_pictures import LABELS, tiny_vision_folder


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
