"""The encoder gives the ids that transformers gives, keeps its limit, and comes back from disk as it was."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest

from lighten.core.errors import DataError, ModelError, UnsafeFile
from lighten.readers.text import LEARNT, Encoder
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


@pytest.mark.parametrize(
    ("said", "config", "wanted"),
    [
        (int(1e30), {"max_position_embeddings": 40}, 40),
        (1e30, {"max_position_embeddings": 40}, 40),
        (None, {"max_position_embeddings": 40}, 40),
        (30, {"max_position_embeddings": 40}, 30),
        (8192, {"max_position_embeddings": 8192}, 8192),
        (None, {"max_position_embeddings": 40, "model_type": "roberta"}, 38),
        (None, {"max_position_embeddings": 40, "model_type": "roberta", "pad_token_id": 5}, 34),
        (None, {"max_position_embeddings": 40, "model_type": "mpnet", "pad_token_id": 5}, 38),
        (None, {}, 512),
        (2048, {}, 2048),
    ],
)
def test_the_limit_is_what_the_model_reads(
    said: float | None, config: dict[str, object], wanted: int, tmp_path: Path
) -> None:
    folder = tiny_network_folder(tmp_path / "a", "bert", 1)
    (folder / "model.safetensors").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({} if said is None else {"model_max_length": said}))
    (folder / "config.json").write_text(json.dumps(config))
    assert Encoder.open(folder).max_tokens == wanted


def test_a_model_without_a_table_of_positions_reads_what_its_tokenizer_keeps(tmp_path: Path) -> None:
    for family, wanted in (("modernbert", 8192), ("bert", 64)):
        folder = tiny_network_folder(tmp_path / family, family, 1)
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 8192}))
        assert Encoder.open(folder).max_tokens == wanted


def test_the_side_that_is_cut_stays_with_the_tokenizer(folder: Path, tmp_path: Path) -> None:
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    copied = Path(shutil.copytree(folder, tmp_path / "a"))
    (copied / "tokenizer_config.json").write_text(json.dumps({**settings, "truncation_side": "left"}))
    encoder, text = Encoder.open(copied), "the film was good " * 20 + "superb"
    ids = encoder([text])[0]
    assert len(ids) == 64 and encoder([" superb"])[0][-2:] == ids[-2:]
    assert encoder.truncated([text, "good"]) == 1
    encoder.with_limit(9).save(tmp_path)
    assert Encoder.open(tmp_path)([text])[0] == [*ids[:1], *ids[-8:]]
    (copied / "tokenizer_config.json").write_text(json.dumps({"truncation_side": "middle"}))
    with pytest.raises(ModelError, match="middle"):
        Encoder.open(copied)


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


def test_networks_learn_from_shorter_texts_than_they_answer(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", "modernbert", 1)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 8192}))
    encoder, long = Encoder.open(folder), ["good " * 3000]
    assert len(encoder(long)[0]) == 3002
    assert len(encoder.for_learning()(long)[0]) == LEARNT
    short = encoder.with_limit(40)
    assert short.for_learning() is short


def test_cut_texts_and_unknown_tokens_are_counted(tmp_path: Path) -> None:
    encoder = Encoder.open(tiny_network_folder(tmp_path / "net", "bert", 1))
    found = encoder.coverage(["good " * 100, "这 部 电影 good", "bad", ""])
    assert (found.texts, found.cut, found.limit) == (4, 1, 64)
    assert (found.tokens, found.unknown) == (62 + 5 + 1, 4)  # each of the Chinese characters is a word
    few = encoder.coverage(["good"] * 90 + ["good " * 100] * 10, most=10)
    assert (few.texts, few.cut) == (10, 1)
    assert encoder.coverage([]).texts == 0


def test_bytes_know_every_text(tmp_path: Path) -> None:
    encoder = Encoder.open(tiny_network_folder(tmp_path / "net", "roberta", 1, tokenizer="bpe"))
    assert encoder.coverage(["这部电影很好看 😀", "good"]).unknown == 0
