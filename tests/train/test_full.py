"""Fine-tuning learns, in every family of classifiers and language models, and plan sees its settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.step import Needs, settings_of
from lighten.nets.encoders.network import open_network
from lighten.nets.facts import FAMILIES
from lighten.nets.forward import logits
from lighten.nets.language.network import open_language
from lighten.nets.language.next_token import nats_per_token
from lighten.nets.language.windows import windows
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_language import FAMILIES as LANGUAGE_FAMILIES
from lighten.testing.tiny_language import tiny_documents, tiny_language
from lighten.train.full import FullTraining

TASK = TextClassification()
NEEDS = Needs(TASK, train=toy_rows(320), tune=toy_rows(80, seed=1))


@pytest.mark.parametrize("family", FAMILIES)
def test_learns_a_new_head_to_95_percent(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family, layers=2, labels=None), ("negative", "positive"))
    unseen = toy_rows(200, seed=2)
    before = TASK.right(logits(network, unseen.inputs, 1), unseen).mean()
    FullTraining(epochs=12, learning_rate=2e-4).run(network, NEEDS)
    after = TASK.right(logits(network, unseen.inputs, 1), unseen).mean()
    assert before < 0.7
    assert after > 0.95
    assert network.has_head


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_half_a_pass_lowers_the_loss_of_a_language_model(tmp_path: Path, family: str) -> None:
    model = open_language(tiny_language(family, tmp_path))
    needs = Needs(TextGeneration(), train=tiny_documents(160), tune=tiny_documents(4, 1))
    unseen = windows(model, tiny_documents(6, 5).inputs, 256)
    before = nats_per_token(model.net, unseen)
    weights = {name: value.clone() for name, value in model.net.state_dict().items()}
    assert FullTraining(epochs=0.5, learning_rate=4e-3).run(model, needs) is model
    assert nats_per_token(model.net, unseen) < before - 0.3
    assert not any(torch.equal(value, weights[name]) for name, value in model.net.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.net.parameters())
    assert not model.net.training


def test_dropout_changes_the_training_and_not_the_answers_after_it(tmp_path: Path) -> None:
    folder, found = tiny_network_folder(tmp_path, layers=2), []
    for dropout in (0.0, 0.5):
        network = FullTraining(epochs=1, dropout=dropout).run(open_network(folder), NEEDS)
        one, two = (logits(network, NEEDS.tune.inputs, 1) for _ in range(2))  # type: ignore[union-attr]
        assert np.array_equal(one, two)
        found.append(one)
    assert not np.array_equal(*found)


def test_is_in_the_catalog_with_bounds() -> None:
    assert catalog.load_step("train.full") is FullTraining
    assert all(setting.problem(setting.default) == "" for setting in settings_of(FullTraining))
    assert FullTraining.needs == {"train", "tune"}


def test_refuses_to_train_on_nothing(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="needs rows"):
        FullTraining().run(open_network(tiny_network_folder(tmp_path)), Needs(TASK))
