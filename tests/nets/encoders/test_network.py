"""Opening and saving networks, and what is known of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from lighten.core.errors import ModelError, UnsafeFile
from lighten.data.buckets import pad
from lighten.models.bring import bring
from lighten.nets.encoders.couple import keep_heads, keep_neurons
from lighten.nets.encoders.network import open_network, save_network
from lighten.nets.encoders.walk import head_size, layers, shapes
from lighten.nets.facts import FAMILIES, encoder_facts
from lighten.nets.network import Network
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import JUDGES, tiny_judge

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
    assert encoder_facts(tmp_path / "b") == encoder_facts(tmp_path / "a")


def test_facts_are_counted(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path, layers=2)
    elements = sum(t.numel() for t in load_file(folder / "model.safetensors").values())
    assert encoder_facts(folder) == {
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
        "formats": {"F32": elements},
        "quantized": False,
        "bits": 32.0,
    }


TEXTS = ["ba ko lin", "stre um", "", "or ti zza qu ing ed stre um ba ko lin <|im_end|>", "a"]


def asked(network: Network, texts: list[str]) -> torch.Tensor:
    """Logits of a network for a batch of texts, as every engine asks it: padded on the right."""
    ids, mask = pad(network.reader(texts), network.reader.pad_id)
    with torch.no_grad():
        result: torch.Tensor = network.net(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
    return result


@pytest.mark.parametrize("padding", ["named", "unnamed", "ending"])
@pytest.mark.parametrize("family", JUDGES)
def test_a_decoder_with_a_head_answers_in_a_batch_what_transformers_answers_one_by_one(
    tmp_path: Path, family: str, padding: str
) -> None:
    folder = tiny_judge(family, tmp_path / "judge", padding=padding)
    network = open_network(bring(str(folder), tmp_path / "brought"))
    assert encoder_facts(folder)["has_head"] and network.labels == ("class 0", "class 1")
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    read = AutoTokenizer.from_pretrained(folder)
    texts = [text for text in TEXTS if len(read(text).input_ids)]
    with torch.no_grad():
        one_by_one = torch.cat([plain(**read(text, return_tensors="pt")).logits for text in texts])
    assert one_by_one.std(0).min() > 0.05  # the texts are told apart
    torch.testing.assert_close(asked(network, texts), one_by_one, rtol=1e-3, atol=1e-3)
    assert torch.isfinite(asked(network, TEXTS)).all() and torch.isfinite(asked(network, [""])).all()
    again = open_network(save_network(network, tmp_path / "saved"))
    torch.testing.assert_close(asked(again, texts), one_by_one, rtol=1e-3, atol=1e-3)


def test_the_side_on_which_a_tokenizer_pads_changes_no_answer(tmp_path: Path) -> None:
    folder = tiny_judge("qwen2", tmp_path / "judge")
    before = asked(open_network(folder), TEXTS)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "padding_side": "left"}))
    torch.testing.assert_close(asked(open_network(bring(str(folder), tmp_path / "left")), TEXTS), before)


def test_a_decoder_without_a_head_gets_one(tmp_path: Path) -> None:
    folder = tiny_judge("llama", tmp_path / "body", labels=0)
    network = open_network(bring(str(folder), tmp_path / "brought"), ("no", "yes", "perhaps"))
    assert not network.has_head and asked(network, TEXTS).shape == (5, 3)
    body = AutoModel.from_pretrained(folder).state_dict()
    assert all(torch.equal(network.net.model.state_dict()[name], value) for name, value in body.items())


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
    assert shapes(again.net) == shapes(network.net) == recorded
    assert torch.equal(answers(again), answers(network))
    known = encoder_facts(tmp_path / "b")
    assert (known["heads"], known["intermediate"]) == (4, 128)
    assert known["parameters"] == sum(weight.numel() for weight in network.net.parameters())


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
    assert (one.has_head, one.labels, encoder_facts(folder)["labels"]) == (False, ("a", "b", "c"), ())
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
