"""Leaving out the blocks that a module names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import StepFailed
from lighten.core.matching import format_named
from lighten.core.step import Needs
from lighten.formats.module import Module
from lighten.nets.forward import logits
from lighten.nets.module.network import open_module, save_module
from lighten.nets.module.record import read_record
from lighten.prune.blocks import DropBlocks
from lighten.tasks.image_classification import ImageClassification
from lighten.testing.tiny_modules import tiny_code, tiny_module
from lighten.testing.tiny_pictures import LABELS, tiny_pictures


def test_what_is_left_is_saved_and_opened_again_and_cut_once_more(tmp_path: Path) -> None:
    rows = tiny_pictures(tmp_path / "pictures", 6)
    made = tiny_module(tiny_code(tmp_path / "code"), "pictures", tmp_path / "made", rows.inputs, LABELS)
    network = DropBlocks(keep=0.67).run(open_module(made, LABELS), Needs(ImageClassification()))
    save_module(network, tmp_path / "cut")
    assert read_record(tmp_path / "cut").left == {"blocks": [0, 2]}
    assert Module().facts(tmp_path / "cut")["blocks"] == 1
    again = open_module(tmp_path / "cut", LABELS)
    assert np.array_equal(logits(again, rows.inputs, 1), logits(network, rows.inputs, 1))
    save_module(DropBlocks(keep=0.5).run(again, Needs(ImageClassification())), tmp_path / "once more")
    assert read_record(tmp_path / "once more").left == {"blocks": [0]}
    sealed = Artifact.seal(tmp_path / "once more", format="module", meta={"labels": list(LABELS)})
    assert format_named("module").open(sealed, LABELS).labels == LABELS


def test_a_module_that_names_no_blocks_is_refused(tmp_path: Path) -> None:
    made = tiny_module(tiny_code(tmp_path / "code"), "texts", tmp_path / "made", ("a", "b"), ("bad", "good"))
    assert "names no blocks" in DropBlocks().check(Module().facts(made.path))
    assert DropBlocks().check({"blocks": 2}) == ""
    with pytest.raises(StepFailed, match="names no blocks"):
        network = open_module(made)
        network.net = network.net.own  # type: ignore[assignment]
        DropBlocks().run(network, Needs(ImageClassification()))
