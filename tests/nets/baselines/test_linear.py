"""A linear model weighs n-grams as tf-idf says, ranks choices with probabilities, and its file is checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lighten.core.errors import ModelError
from lighten.nets.baselines.linear import RECORD, TENSORS, LinearModel, NgramVocabulary, open_linear
from lighten.nets.baselines.linear_fit import fit_linear, vocabulary

GOOD, BAD = ["a good film", "so good", "good day"], ["a bad film", "so bad", "bad day"]
TEXTS, TARGETS = (GOOD + BAD) * 4, ([1] * 3 + [0] * 3) * 4
CHOICES = (" bad", " good")


def model() -> LinearModel:
    return fit_linear(TEXTS, TARGETS, CHOICES, (TEXTS, TARGETS), characters=3, most=1000)


def test_weights_are_tf_idf_of_length_one() -> None:
    known = vocabulary(["good good day", "good", "long day", "x y"], 0, 100)
    assert len(known.keys) == 2, "words that one row alone has do not count, nor pairs"
    rows, _, values = known.weighed(["good good day", "nothing", "day"])
    assert rows.tolist() == [0, 0, 2]
    twice, once = 1 + np.log(2), 1.0
    assert sorted(values[:2]) == pytest.approx(sorted(np.array([twice, once]) / np.hypot(twice, once)), rel=1e-3)
    assert values[2] == pytest.approx(1)


def test_each_row_is_normalised_and_what_is_unknown_follows_the_bias() -> None:
    found = model().logprobs(["good", "bad", "zzz", "", "good good bad"])
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(5))
    assert found.argmax(axis=1).tolist()[:2] == [1, 0]
    assert np.array_equal(found[2], found[3])
    assert model().logprobs([]).shape == (0, 2)


def test_texts_are_judged_alike_alone_and_together() -> None:
    asked = ["good", "", "a long day, so bad", "film"]
    assert np.allclose(model().logprobs(asked), np.concatenate([model().logprobs([one]) for one in asked]))


def test_the_file_holds_the_same_model(tmp_path: Path) -> None:
    made = fit_linear(TEXTS + ["neutral one"] * 3, TARGETS + [2] * 3, (*CHOICES, " 平"), characters=2, most=50)
    made.save(tmp_path)
    opened = open_linear(tmp_path)
    assert opened.choices == (*CHOICES, " 平") and opened.vocabulary.characters == 2
    assert np.array_equal(opened.logprobs(TEXTS), made.logprobs(TEXTS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", 9),
        ("choices", ["one"]),
        ("characters", 99),
        ("spared", 0.0),
        ("keys", lambda old: old[::-1].copy()),
        ("weights", lambda old: old[:-1].copy()),
        ("bias", lambda old: old * np.nan),
        ("seen", lambda old: old + 1),
        ("rarity", lambda old: old.astype(np.float64)),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, name: str, value: object) -> None:
    model().save(tmp_path)
    if callable(value):
        tensors = load_file(str(tmp_path / TENSORS))
        save_file({**tensors, name: value(tensors[name])}, str(tmp_path / TENSORS))
    else:
        record = json.loads((tmp_path / RECORD).read_text())
        (tmp_path / RECORD).write_text(json.dumps({**record, name: value}))
    with pytest.raises(ModelError, match=r"not whole|known here"):
        open_linear(tmp_path)


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lacks the file"):
        open_linear(tmp_path)


def test_a_vocabulary_of_nothing_weighs_nothing() -> None:
    empty = NgramVocabulary(2, np.empty(0, np.uint32), np.empty(0, np.float16))
    assert all(len(column) == 0 for column in empty.weighed(["text"]))
