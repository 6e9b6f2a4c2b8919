"""Training from nothing: a network that knows nothing learns a toy task, reproducibly."""

from __future__ import annotations

from pathlib import Path

import torch

from lighten.core.matching import training_of_heads
from lighten.core.step import Needs
from lighten.formats.module import Module
from lighten.nets.forward import logits
from lighten.nets.module.network import open_module
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import toy_rows
from lighten.testing.tiny_modules import tiny_code, tiny_module
from lighten.train.scratch import FromScratch


def test_a_network_that_knows_nothing_learns_the_toy_task(tmp_path: Path) -> None:
    task, train, tune = TextClassification(), toy_rows(600), toy_rows(80, seed=1)
    made = tiny_module(tiny_code(tmp_path / "code"), "masked", tmp_path / "made", train.inputs, ("bad", "good"))
    weights = []
    for _ in range(2):
        network = open_module(made, ("bad", "good"))
        FromScratch(epochs=8, learning_rate=1e-2).run(network, Needs(task, train=train, tune=tune, threads=1))
        assert network.has_head
        weights.append(network.net.state_dict())
        assert task.right(logits(network, tune.inputs, 1), tune).mean() > 0.9
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_network_of_the_user_s_own_is_trained_by_it(tmp_path: Path) -> None:
    made = tiny_module(tiny_code(tmp_path / "code"), "texts", tmp_path / "made", ("a", "b"), ("bad", "good"))
    assert isinstance(training_of_heads("module", Module().facts(made.path)), FromScratch)
