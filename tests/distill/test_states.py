"""A student with half its teacher's width comes close to it again, layer by layer, without labels."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs
from lighten.distill.states import StateDistillation
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.states import States
from lighten.nets.forward import logits
from lighten.nets.network import Network
from lighten.prune.layers import DropLayers
from lighten.prune.width import Narrow
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

TASK, TRAIN, TUNE = TextClassification(), toy_rows(320), toy_rows(80, seed=1)


class Original:
    """A teacher that is a network."""

    def __init__(self, net: Network) -> None:
        self.net = net

    def logits(self, rows: Rows) -> Any:
        return logits(self.net, rows.inputs, 1)

    def states(self, rows: Rows) -> States:
        return States(self.net, rows.inputs)


@pytest.fixture
def original(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=4))


@pytest.mark.parametrize("reshaping", [Narrow(ff=0.25, heads=0.5, importance="magnitude"), DropLayers(keep=0.5)])
def test_comes_closer_to_the_original_on_unseen_rows(original: Network, reshaping: Any) -> None:
    unseen, lies = toy_rows(100, seed=2), Rows(TRAIN.inputs, TRAIN.targets[1:] + TRAIN.targets[:1])
    student = reshaping.run(copy.deepcopy(original), Needs(TASK, train=TRAIN, tune=TUNE))
    wanted, before = logits(original, unseen.inputs, 1), logits(student, unseen.inputs, 1)
    needs = Needs(TASK, train=lies, tune=TUNE, teacher=Original(original))
    StateDistillation(epochs=6, learning_rate=1e-3).run(student, needs)
    after = logits(student, unseen.inputs, 1)
    assert np.square(after - wanted).mean() < 0.5 * np.square(before - wanted).mean()
    assert np.array_equal(logits(original, unseen.inputs, 1), wanted)


def test_refuses_a_teacher_of_another_kind(original: Network, tmp_path: Path) -> None:
    three = open_network(tiny_network_folder(tmp_path / "b", labels=None), ("a", "b", "c"))
    with pytest.raises(StepFailed, match="3 numbers"):
        StateDistillation().run(original, Needs(TASK, train=TRAIN, tune=TUNE, teacher=Original(three)))
    with pytest.raises(StepFailed, match="needs a teacher"):
        StateDistillation().run(original, Needs(TASK, train=TRAIN, tune=TUNE))


def test_takes_the_place_of_logits_in_the_search() -> None:
    assert catalog.load_step("distill.states") is StateDistillation
    assert StateDistillation.supersedes == ("distill.logits",)
    assert StateDistillation().check({"family": "albert"})
    assert StateDistillation().check({"family": "bert"}) == ""
