"""Low-rank changes: they learn, they are merged without a trace, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.core import catalog
from lighten.core.errors import StepFailed
from lighten.core.step import Needs, settings_of
from lighten.nets.language.network import LanguageNetwork, open_language, save_language
from lighten.nets.language.next_token import nats_per_token
from lighten.nets.language.windows import windows
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.tiny_language import FAMILIES, tiny_documents, tiny_language
from lighten.train.lora import Lora

NEEDS = Needs(TextGeneration(), train=tiny_documents(160), tune=tiny_documents(4, 1))
IDS = torch.tensor([[1, 7, 300, 41, 20]])


def held_out(model: LanguageNetwork) -> float:
    return nats_per_token(model.net, windows(model, tiny_documents(6, 5).inputs, 256))


@pytest.mark.parametrize("family", FAMILIES)
def test_half_a_pass_lowers_the_loss_of_unseen_text(tmp_path: Path, family: str) -> None:
    model = open_language(tiny_language(family, tmp_path / "a"))
    before = held_out(model)
    types = [type(module) for module in model.net.modules()]
    assert Lora(epochs=0.5, learning_rate=1e-2).run(model, NEEDS) is model
    assert held_out(model) < before - 0.1
    assert [type(module) for module in model.net.modules()] == types
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.net.parameters())
    save_language(model, tmp_path / "b")
    assert torch.equal(open_language(tmp_path / "b").net(IDS).logits, model.net(IDS).logits)


@pytest.mark.parametrize(("embeddings", "tied"), [(False, True), (True, True), (True, False)])
def test_embeddings_are_trained_only_when_they_are_to_be(tmp_path: Path, embeddings: bool, tied: bool) -> None:
    model = open_language(tiny_language("qwen2", tmp_path, tied=tied))
    before = {name: value.clone() for name, value in model.net.state_dict().items()}
    Lora(epochs=0.05, embeddings=embeddings).run(model, NEEDS)
    changed = {name for name, value in model.net.state_dict().items() if not torch.equal(value, before[name])}
    projections = {name for name in before if name.endswith("proj.weight")}
    words = {"model.embed_tokens.weight", *(("lm_head.weight",) if tied else ())}
    assert changed == projections | (words if embeddings else set())


def test_refusals_and_settings(tmp_path: Path) -> None:
    model = open_language(tiny_language("llama", tmp_path))
    with pytest.raises(StepFailed, match="needs texts to train"):
        Lora().run(model, Needs(TextGeneration(), train=NEEDS.train))
    assert catalog.load_step("train.lora") is Lora
    assert Lora.consumes == ("hf-causal",) and Lora.needs == {"train", "tune"}
    assert all(known.problem(known.default) == "" for known in settings_of(Lora))
