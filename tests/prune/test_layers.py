"""Dropping layers: which stay, that they stay as they were, and who refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from lighten.core import catalog
from lighten.core.step import Needs
from lighten.nets.encoders.network import open_network, save_network
from lighten.nets.encoders.walk import layer_list
from lighten.nets.facts import encoder_facts
from lighten.nets.language.network import open_language, save_language
from lighten.prune.layers import DropLayers, chosen, placed
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.tiny import FAMILIES, tiny_network_folder
from lighten.testing.tiny_language import FAMILIES as LANGUAGE_FAMILIES
from lighten.testing.tiny_language import tiny_language

NEEDS, IDS = Needs(TextClassification()), torch.tensor([[2, 5, 6, 25, 7, 3]])


@pytest.mark.parametrize(
    ("count", "kept", "choice", "expected"),
    [
        (6, 6, "even", [0, 1, 2, 3, 4, 5]),
        (6, 4, "even", [0, 2, 3, 5]),
        (6, 3, "even", [0, 2, 5]),
        (6, 2, "even", [0, 5]),
        (6, 1, "even", [0]),
        (12, 4, "even", [0, 4, 7, 11]),
        (6, 3, "first", [0, 1, 2]),
    ],
)
def test_which_layers_stay(count: int, kept: int, choice: str, expected: list[int]) -> None:
    assert chosen(count, kept, choice) == expected


def test_every_choice_has_as_many_layers_as_asked_for() -> None:
    for count in range(1, 40):
        for kept in range(1, count + 1):
            found = chosen(count, kept)
            assert len(set(found)) == kept
            assert found == sorted(found)
            assert found[0] == 0
            assert kept == 1 or found[-1] == count - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_keeping_all_changes_nothing_and_keeping_half_leaves_those_layers(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path / "a", family, layers=4))
    before = network.net(IDS).logits
    assert torch.equal(DropLayers(keep=1.0).run(network, NEEDS).net(IDS).logits, before)
    originals = list(layer_list(network.net))
    DropLayers(keep=0.5).run(network, NEEDS)
    assert [originals.index(layer) for layer in layer_list(network.net)] == [0, 3]
    save_network(network, tmp_path / "b")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "b").eval()
    torch.testing.assert_close(plain(IDS).logits, network.net(IDS).logits)
    assert encoder_facts(tmp_path / "b")["layers"] == 2


@pytest.mark.parametrize("family", ["bert", "distilbert", "deberta-v2"])
def test_dropping_a_layer_that_does_nothing_changes_nothing(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family, layers=3))
    found = layer_list(network.net)
    reference = DropLayers(keep=0.67).run(open_network(tmp_path), NEEDS).net(IDS).logits
    found[1].forward = lambda hidden, *_, **__: (hidden, None) if family == "deberta-v2" else hidden
    torch.testing.assert_close(network.net(IDS).logits, reference)


def test_refusals() -> None:
    assert "same one" in DropLayers().check({"family": "albert", "layers": 6})
    assert DropLayers().check({"family": "modernbert", "layers": 6})
    assert "one layer only" in DropLayers().check({"family": "bert", "layers": 1})
    assert DropLayers().check({"family": "bert", "layers": 6}) == ""
    assert catalog.load_step("prune.layers") is DropLayers


WORDS = torch.tensor([[1, *range(30, 70)]])  # longer than the window of the tiny Gemma


def test_a_share_that_stages_cannot_have_is_refused_so_that_one_network_is_not_tried_under_two_names() -> None:
    resnet = {"family": "resnet", "layers": 6, "stages": (2, 2, 2)}
    assert not DropLayers(keep=0.5).check(resnet)
    assert "3 of its 6 blocks stay in any case, the first of each of 3 stages" in DropLayers(keep=0.34).check(resnet)
    assert not DropLayers(keep=0.34).check({"family": "resnet", "layers": 16, "stages": (3, 4, 6, 3)})
    assert DropLayers(keep=0.4).check({"family": "swin", "layers": 4, "stages": (2, 2)})
    assert not DropLayers(keep=0.34).check({"family": "vit", "layers": 6, "stages": (6,)})


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_a_language_model_keeps_the_layers_that_are_named(tmp_path: Path, family: str) -> None:
    count = 12 if family == "gemma3_text" else 4
    model = open_language(tiny_language(family, tmp_path / "a", layers=count))
    needs, before = Needs(TextGeneration()), model.net(WORDS).logits
    assert torch.equal(DropLayers(keep=1.0).run(model, needs).net(WORDS).logits, before)
    originals = list(model.net.model.layers)
    DropLayers(keep=0.5).run(model, needs)
    kept = [originals.index(layer) for layer in model.net.model.layers]
    assert kept == ([0, 3] if count == 4 else [0, 2, 4, 7, 9, 11])
    assert model.net.config.num_hidden_layers == len(kept)
    after = model.net(WORDS).logits
    assert not torch.allclose(after, before, atol=0.1)
    answer = model.net.generate(WORDS, max_new_tokens=4, do_sample=False, eos_token_id=-1)  # with keys and values kept
    save_language(model, tmp_path / "b")
    again = open_language(tmp_path / "b")
    torch.testing.assert_close(again.net(WORDS).logits, after)
    assert torch.equal(answer[:, -1], again.net(answer[:, :-1]).logits[:, -1].argmax(-1))


@pytest.mark.parametrize(
    ("count", "keep", "kept"),
    [
        (12, 0.5, [0, 2, 4, 7, 9, 11]),
        (14, 1.0, [*range(14)]),
        (18, 0.83, [*range(12), 14, 15, 16]),
        (18, 0.67, [0, 1, 2, 3, 4, 5, 9, 10, 12, 14, 15, 17]),
        (18, 0.5, [0, 2, 4, 6, 8, 11, 13, 15, 16]),
        (18, 0.34, [0, 3, 7, 10, 14, 17]),
        (7, 0.1, [0]),
        (4, 0.5, [0, 3]),  # all of one kind
    ],
)
def test_gemma_keeps_the_kind_of_attention_of_every_number(
    tmp_path: Path, count: int, keep: float, kept: list[int]
) -> None:
    model = open_language(tiny_language("gemma3_text", tmp_path, layers=count))
    originals = list(model.net.model.layers)
    DropLayers(keep=keep).run(model, Needs(TextGeneration()))
    assert [originals.index(layer) for layer in model.net.model.layers] == kept
    kinds = ["full_attention" if number % 6 == 5 else "sliding_attention" for number in range(len(kept))]
    assert model.net.config.layer_types == kinds
    assert [layer.self_attn.layer_idx for layer in model.net.model.layers] == list(range(len(kept)))
    assert [layer.self_attn.is_sliding for layer in model.net.model.layers] == [kind[0] == "s" for kind in kinds]


@pytest.mark.parametrize("rounds", [1, 6, 4])
def test_placed_layers_are_as_many_as_asked_for_and_of_the_right_kind(rounds: int) -> None:
    for count in range(1, 30):
        kinds = ["full" if number % rounds == rounds - 1 else "sliding" for number in range(count)]
        for keep in range(1, count + 1):
            found = placed(kinds, keep)
            assert len(found) == keep and found == sorted(set(found))
            assert [kinds[layer] for layer in found] == kinds[:keep]
            assert rounds > 1 or found == chosen(count, keep)
        assert placed(kinds, count, "first") == list(range(count))


def test_the_share_of_a_language_model_is_that_of_its_bytes() -> None:
    facts = {"language": True, "vocabulary": 600, "hidden": 10, "parameters": 10_000, "layers": 4, "family": "llama"}
    assert DropLayers(keep=0.5).share(facts) == pytest.approx(0.6 + 0.4 * 0.5)
    assert DropLayers().check(facts) == ""
