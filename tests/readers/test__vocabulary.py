"""Texts that bring no tokenizer get one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lighten.core.errors import ModelError
from lighten.core.readers import reader_in
from lighten.readers.text import IDS, MASK, Encoder
from lighten.testing.tiny import toy_rows

CHINESE = ("这部电影很好看", "剧情太差了", "演员很好", "太差了，不好看", "很好看的电影")


def test_words_are_learned_from_the_texts() -> None:
    texts = toy_rows(200).inputs
    reader = Encoder.fitted(texts, {})
    assert reader.vocabulary_size > len({word for text in texts for word in str(text).split()})
    assert reader.sizes() == {"vocabulary": reader.vocabulary_size, "length": reader.max_tokens}
    assert reader.coverage(texts).unknown == 0
    assert reader.max_tokens % 8 == 0


def test_chinese_is_read_by_its_characters() -> None:
    reader = Encoder.fitted(CHINESE * 3, {})
    assert [len(ids) for ids in reader(["很好看", "电影"])] == [3, 2]
    assert reader.coverage(CHINESE).unknown == 0


def test_what_is_wished_is_obeyed() -> None:
    texts = toy_rows(200).inputs
    small = Encoder.fitted(texts, {"vocabulary": 40, "length": 9})
    assert small.sizes() == {"vocabulary": 40, "length": 9}
    own = Encoder.fitted(texts, {"tokenizer": small.source})
    assert own.vocabulary_size == 40


@pytest.mark.parametrize("wanted", [{"vocabulary": 2}, {"length": "9"}, {"length": 0.5}])
def test_what_is_no_number_of_tokens_is_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="of the network is"):
        Encoder.fitted(("a", "b"), wanted)


def test_texts_for_a_network_without_a_mask_have_one_length_and_end_where_they_end(tmp_path: Path) -> None:
    reader = Encoder.fitted(toy_rows(50).inputs, {"length": 12})
    filled = reader.unmasked()
    ids = filled(["good film", "a very good film"])
    assert {len(one) for one in ids} == {12} and not filled.pads
    assert ids[0][-2:] == reader(["good film"])[0] and set(ids[0][:-2]) == {filled.pad_id}
    assert set(filled.batch(ids)) == {IDS} == set(filled.axes()) and MASK in reader.batch(ids)
    filled.save(tmp_path)
    again = reader_in(tmp_path)
    assert not again.pads
    assert np.array_equal(again.batch(again(["good film"]))[IDS], filled.batch(ids[:1])[IDS])
    assert again.for_learning() is again
