"""Texts are read without lighten as with it: the same ids, whatever the tokenizer and its limit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lighten.core.plain import ARRAYS_OF, PlainReading
from lighten.readers.text import Encoder
from lighten.testing.engine_contract import texts
from lighten.testing.tiny import tiny_tokenizer

ASKED = ("", "good", " ".join(texts(20)), "naïve 映画 🦊 [SEP] </s>")


def encoder(folder: Path, kind: str, **settings: object) -> Encoder:
    tiny_tokenizer(("good", "bad", "film"), kind=kind, roberta=kind == "bpe").save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    return Encoder.open(folder)


def arrays_of(reading: PlainReading, folder: Path) -> object:
    """The function of the program, run beside its files."""
    folder.mkdir()
    for name, text in reading.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    space: dict[str, object] = {"HERE": folder, "np": np}
    exec("\n".join((*reading.imports, *reading.setup, reading.code)), space)
    return space[ARRAYS_OF]


@pytest.mark.parametrize("kind", ["wordlevel", "wordpiece", "bpe"])
@pytest.mark.parametrize(
    "settings", [{}, {"model_max_length": 9}, {"truncation_side": "left", "model_max_length": 9}], ids=str
)
def test_ids_are_the_readers(kind: str, settings: dict[str, object], tmp_path: Path) -> None:
    reader = encoder(tmp_path / "own", kind, **settings)
    read = arrays_of(reader.plain(), tmp_path / "plain")
    for text, ids in zip(ASKED, reader(ASKED), strict=True):
        arrays = read(text)  # type: ignore[operator]
        assert arrays["input_ids"].tolist() == [ids] and arrays["attention_mask"].tolist() == [[1] * len(ids)]


def test_texts_that_are_all_of_one_length(tmp_path: Path) -> None:
    reader = encoder(tmp_path / "own", "wordlevel", model_max_length=12).unmasked()
    read = arrays_of(reader.plain(), tmp_path / "plain")
    for text, ids in zip(ASKED, reader(ASKED), strict=True):
        assert read(text)["input_ids"].tolist() == [ids] and len(ids) == 12  # type: ignore[operator]


def test_settings_are_such_as_every_version_of_transformers_reads(tmp_path: Path) -> None:
    reader = encoder(tmp_path / "own", "wordlevel", auto="x", extra_special_tokens=["<x>"])
    said = json.loads(reader.plain().files["tokenizer_config.json"])
    assert said["tokenizer_class"] == "PreTrainedTokenizerFast" and said["model_max_length"] == reader.max_tokens
    assert said["pad_token"] == "[PAD]" and not {"auto", "extra_special_tokens"} & set(said)


def test_there_are_texts_to_ask_where_there_is_no_data(tmp_path: Path) -> None:
    assert len(encoder(tmp_path / "own", "wordlevel").samples(tmp_path)) > 2
