"""Encoders that make vectors: recognised where they are wanted, brought, refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lighten.core.errors import ModelError
from lighten.formats.hf_embedding import HfEmbedding
from lighten.models.bring import bring, find
from lighten.nets.encoders.pooling import Pooling
from lighten.readers.text import Encoder
from lighten.testing.format_contract import check_facts, check_strangers
from lighten.testing.tiny import tiny_network_folder

TASK = "text_embedding"


def encoder(folder: Path, pooling: Pooling | None = None) -> Path:
    made = tiny_network_folder(folder, "bert", 1, labels=None)
    if pooling is not None:
        pooling.save(made, 32)
    return made


def test_an_encoder_is_one_where_vectors_are_wanted_and_a_classifier_without_a_head_elsewhere(tmp_path: Path) -> None:
    source = str(encoder(tmp_path / "m"))
    assert (find(source).format, find(source, task=TASK).format) == ("hf", "hf-embedding")
    assert find(source, task=TASK).tasks == (TASK,)
    headed = tiny_network_folder(tmp_path / "headed", "bert", 1)
    assert find(str(headed), task=TASK).format == "hf"
    check_strangers(HfEmbedding(), tmp_path / "strangers")


def test_what_is_brought_says_how_its_vectors_are_made(tmp_path: Path) -> None:
    made = bring(str(encoder(tmp_path / "m", Pooling("cls", False))), tmp_path / "brought", task=TASK)
    assert made.meta["embedding"] == {"pooling": "cls", "normalized": False, "size": 32} and "told" not in made.meta
    known = HfEmbedding().facts(made.path)
    check_facts(HfEmbedding(), known, known)
    assert known["has_head"] and known["labels"] == ()
    again = find(str(made.path))
    assert (again.format, again.sealed, again.task) == ("hf-embedding", True, TASK)


def test_what_answers_as_it_lies_is_told_from_what_waits_for_a_head(tmp_path: Path) -> None:
    told, untold = encoder(tmp_path / "told", Pooling()), encoder(tmp_path / "untold")
    assert bring(str(told), tmp_path / "a", asks=True).format == "hf-embedding"
    assert bring(str(untold), tmp_path / "b", asks=True).format == "hf"
    assert "their mean is taken" in bring(str(untold), tmp_path / "c", task=TASK).meta["told"]


def test_files_of_sentence_transformers_are_obeyed_or_refused(tmp_path: Path) -> None:
    source = encoder(tmp_path / "m", Pooling())
    (source / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 12, "do_lower_case": True}))
    made = bring(str(source), tmp_path / "brought", task=TASK)
    assert Encoder.open(made.path).max_tokens == 12
    told = {"default_prompt_name": "query", "prompts": {"query": "query: "}}
    (source / "config_sentence_transformers.json").write_text(json.dumps(told))
    with pytest.raises(ModelError, match="puts 'query: ' before every text"):
        find(str(source), task=TASK)
