"""Opening and saving networks, and what is known of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from lighten.core.errors import ModelError, UnsafeFile
from lighten.nets.couple import keep_heads, keep_neurons
from lighten.nets.facts import FAMILIES
from lighten.nets.network import Network, facts, open_network, save_network
from lighten.nets.walk import head_size, layers
from lighten.testing.tiny import tiny_network_folder

IDS = torch.tensor([[2, 5, 6, 25, 7, 3]])


def answers(network: Network) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = network.net(IDS).logits
    return result


@pytest.mark.parametrize("family", FAMILIES)
def test_saves_what_it_opened_and_plain_transformers_opens_it(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path / "a", family, layers=2))
    save_network(network, tmp_path / "b")
    again = open_network(tmp_path / "b")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "b").eval()
    assert torch.equal(answers(again), answers(network))
    torch.testing.assert_close(plain(IDS).logits, answers(network))
    assert plain.config.id2label == {0: "negative", 1: "positive"}
    assert facts(tmp_path / "b") == facts(network) == facts(tmp_path / "a")


def test_facts_are_counted(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path, layers=2)
    elements = sum(t.numel() for t in load_file(folder / "model.safetensors").values())
    assert facts(folder) == {
        "family": "bert",
        "layers": 2,
        "heads": 4,
        "head_size": 8,
        "hidden": 32,
        "intermediate": 128,
        "vocabulary": 31,
        "parameters": elements,
        "labels": ("negative", "positive"),
        "has_head": True,
        "format": "hf",
        "tokenizer": "WordLevel",
    }


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "electra"])
def test_a_narrowed_network_is_rebuilt_from_its_shapes(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path / "a", family, layers=2))
    first, second = layers(network.net)
    keep_heads(first, torch.tensor([0, 3]), head_size(network.net))
    keep_neurons(second, torch.arange(0, 128, 2))
    save_network(network, tmp_path / "b")
    recorded = json.loads((tmp_path / "b" / "config.json").read_text())["lighten_shapes"]
    assert recorded == {"heads": [2, 4], "ff": [128, 64]}
    again = open_network(tmp_path / "b")
    assert again.shapes() == network.shapes() == recorded
    assert torch.equal(answers(again), answers(network))
    assert facts(again) == facts(tmp_path / "b")


def test_one_feed_forward_size_is_plain_config(tmp_path: Path) -> None:
    for family, key in (("bert", "intermediate_size"), ("distilbert", "hidden_dim")):
        network = open_network(tiny_network_folder(tmp_path / family, family, layers=2))
        for part in layers(network.net):
            keep_neurons(part, torch.arange(64))
        save_network(network, tmp_path / f"{family}-narrow")
        config = json.loads((tmp_path / f"{family}-narrow" / "config.json").read_text())
        assert config[key] == 64
        assert "lighten_shapes" not in config
        plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / f"{family}-narrow").eval()
        torch.testing.assert_close(plain(IDS).logits, answers(network))


def test_a_network_without_a_head_gets_a_seeded_one(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path, labels=None)
    one, same, other = (open_network(folder, ("a", "b", "c"), seed=seed) for seed in (1, 1, 2))
    assert (one.has_head, one.labels, facts(folder)["labels"]) == (False, ("a", "b", "c"), ())
    assert answers(one).shape == (1, 3)
    assert torch.equal(answers(one), answers(same))
    assert not torch.equal(answers(one), answers(other))
    with pytest.raises(ModelError, match="no classification head"):
        open_network(folder)


def test_labels_of_the_data_must_be_those_of_the_head(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "a")
    assert open_network(folder, ("Positive", "Negative")).labels == ("negative", "positive")
    with pytest.raises(ModelError, match="classifies into negative, positive; the data has bad, good"):
        open_network(folder, ("bad", "good"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}))
    assert open_network(folder, ("bad", "good")).labels == ("bad", "good")
    (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "a", "2": "b"}}))
    with pytest.raises(ModelError, match="id2label"):
        open_network(folder)


def test_old_spellings_half_precision_and_pretraining_heads(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path, layers=2)
    network = open_network(folder)
    state = {}
    for name, tensor in load_file(folder / "model.safetensors").items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        state[name] = tensor.bfloat16()
    state["bert.embeddings.position_ids"] = torch.arange(64)[None]
    state["cls.predictions.bias"] = torch.zeros(31)
    save_file(state, folder / "model.safetensors")
    old = open_network(folder)
    assert {p.dtype for p in old.net.parameters()} == {torch.float32}
    torch.testing.assert_close(answers(old), answers(network), atol=0.02, rtol=0.02)


def test_opening_checks_as_bringing_does(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path, layers=2)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "x.Y"}}))
    with pytest.raises(UnsafeFile, match="auto_map"):
        open_network(folder)
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 64}))
    with pytest.raises(ModelError, match=r"and \d+ more"):
        open_network(folder)


def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "a", words=("few", "words"))
    tiny_network_folder(tmp_path / "b")
    (folder / "tokenizer.json").write_text((tmp_path / "b" / "tokenizer.json").read_text())
    with pytest.raises(ModelError, match="31 tokens, the network has embeddings for 7"):
        open_network(folder)
