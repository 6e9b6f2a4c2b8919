"""The encoder gives the ids that transformers gives, keeps its limit, and comes back from disk as it was."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from lighten.core.errors import DataError, ModelError, UnsafeFile
from lighten.nets.encoder import Encoder
from lighten.testing.tiny import tiny_network_folder

TEXTS = ["the film was good", "", "A LOVELY plot, and this is very very tedious music", "unheard-of wörds"]


@pytest.fixture(scope="module", params=["bert", "roberta"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind = "wordpiece" if request.param == "bert" else "bpe"
    return tiny_network_folder(tmp_path_factory.mktemp("net") / request.param, request.param, 1, tokenizer=kind)


def test_ids_are_those_of_transformers(folder: Path) -> None:
    from transformers import AutoTokenizer

    slow = AutoTokenizer.from_pretrained(folder)
    encoder = Encoder.open(folder, max_tokens=9)
    assert encoder(TEXTS) == slow(TEXTS, truncation=True, max_length=9)["input_ids"]
    assert [encoder([text])[0] for text in TEXTS] == encoder(TEXTS)
    assert encoder([]) == []
    assert encoder.pad_id == slow.pad_token_id
    assert encoder.vocabulary_size == len(slow)


def test_limit_is_the_smallest_of_all_that_are_known(folder: Path, tmp_path: Path) -> None:
    assert Encoder.open(folder).max_tokens == 64
    assert Encoder.open(folder, max_tokens=500).max_tokens == 64
    encoder = Encoder.open(folder, max_tokens=5)
    assert encoder.max_tokens == 5
    assert max(map(len, encoder(TEXTS))) == 5
    assert encoder.truncated(["good", "the film was good and fine", ""]) == 1
    assert encoder.with_limit(4).max_tokens == 4
    assert encoder.with_limit(400).max_tokens == 5


def test_positions_of_the_model_limit_it_too(tmp_path: Path) -> None:
    source = tiny_network_folder(tmp_path / "a", "bert", 1)
    for kind, config, wanted in [
        ("bert", {"max_position_embeddings": 40}, 40),
        ("roberta", {"max_position_embeddings": 40, "model_type": "roberta"}, 38),
        ("none", {}, 512),
    ]:
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
        (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": int(1e30)}))
        (folder / "config.json").write_text(json.dumps(config))
        assert Encoder.open(folder).max_tokens == wanted


def test_saved_and_opened_it_is_the_same(folder: Path, tmp_path: Path) -> None:
    first = Encoder.open(folder, max_tokens=7)
    first.save(tmp_path)
    again = Encoder.open(tmp_path)
    assert (again.max_tokens, again.pad_id, again.vocabulary_size) == (7, first.pad_id, first.vocabulary_size)
    assert again(TEXTS) == first(TEXTS)
    again.save(tmp_path)
    assert Encoder.open(tmp_path).settings == again.settings
    assert copy.deepcopy(first)(TEXTS) == first(TEXTS)


def test_the_file_s_own_padding_and_truncation_are_not_used(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "bert", 1)
    path = folder / "tokenizer.json"
    record = json.loads(path.read_text())
    plain = Encoder.open(folder)(TEXTS)
    record["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    pads = {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    record["padding"] = {"strategy": {"Fixed": 50}, "direction": "Right", "pad_to_multiple_of": None, **pads}
    path.write_text(json.dumps(record))
    assert Encoder.open(folder)(TEXTS) == plain


@pytest.mark.parametrize("text", ["a\ud800b", 3, None])
def test_what_is_no_text_is_named(folder: Path, text: object) -> None:
    with pytest.raises(DataError, match="Input 1"):
        Encoder.open(folder)(["fine", text])  # type: ignore[list-item]


def test_refusals(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        Encoder.open(tmp_path)
    with pytest.raises(ModelError, match="no room"):
        Encoder.open(folder, max_tokens=2)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="not a tokenizer"):
        Encoder.open(tmp_path)
    Encoder.open(folder).save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("[1]")
    with pytest.raises(ModelError, match="list"):
        Encoder.open(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": "x.Y"}}')
    with pytest.raises(UnsafeFile, match="auto_map"):
        Encoder.open(tmp_path)
