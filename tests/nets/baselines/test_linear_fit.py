"""Logistic regression finds what speaks for a choice, also of many, and rows without a label are refused."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core.errors import DataError
from lighten.nets.baselines.linear_fit import fit_linear, nats_of, vocabulary

WORDS = [f"word{i}x" for i in range(40)]


def rows(count: int, seed: int, choices: int = 40) -> tuple[list[str], list[int]]:
    drawn = np.random.default_rng(seed)
    targets = drawn.integers(0, choices, count).tolist()
    return [f"Text: {drawn.choice(['so', 'well', 'then'])} {WORDS[t]} here\nKind:" for t in targets], targets


def test_many_choices_are_told_apart_and_one_never_seen_is_not_impossible() -> None:
    choices = [f" c{i}" for i in range(41)]
    model = fit_linear(*rows(400, 0), choices, rows(80, 1), characters=3, most=5000)
    texts, targets = rows(100, 2)
    found = model.logprobs(texts)
    assert (found.argmax(axis=1) == targets).mean() > 0.95
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(100))
    assert np.isfinite(found[:, 40]).all() and (found[:, 40] < found.max(axis=1)).all()


def test_the_strength_that_is_best_on_held_out_rows_is_taken() -> None:
    drawn = np.random.default_rng(0)
    texts, targets = rows(300, 0, 2)
    noisy = [int(t) if drawn.random() < 0.7 else 1 - t for t in targets]
    told: list[tuple[int, int, float]] = []
    heard = lambda *said: told.append(said)  # noqa: E731
    model = fit_linear(texts, noisy, (" a", " b"), (texts, targets), characters=2, most=500, heard=heard)
    best = told[-1][2]
    assert best == pytest.approx(nats_of(model, texts, targets)) and best == min(said[2] for said in told)
    assert nats_of(model, texts, targets) < np.log(2)


def test_what_every_row_has_is_not_in_the_vocabulary_and_the_rest_by_how_many_have_it() -> None:
    texts = ["Review: good film", "Review: good day", "Review: bad film", "Review: good"]
    assert len(vocabulary(texts, 0, 100).keys) == len({"good", "film", "review good"})
    assert vocabulary(texts, 0, 1).rarity[0] == vocabulary(texts, 0, 100).rarity.min()
    assert len(vocabulary(["review"] * 5, 4, 100).keys) == 0


def test_where_texts_say_nothing_the_shares_of_the_choices_are_learned() -> None:
    choices = (" a", " b", " c")
    model = fit_linear(["same"] * 8, [0, 0, 0, 0, 0, 0, 2, 2], choices, characters=2, most=9)
    assert np.exp(model.logprobs(["same", "other"]))[:, 0] == pytest.approx([0.6364] * 2, abs=0.01)
    alone = fit_linear(["some text"] * 3, [1] * 3, choices, (["text"], [1]), characters=2, most=9)
    assert alone.logprobs(["text"]).argmax() == 1


def test_rows_without_labels_are_refused() -> None:
    for targets, message in ((([0, 5]), "label 5"), ([0, -1], "label -1"), ([0], "1 labels")):
        with pytest.raises(DataError, match=message):
            fit_linear(["a", "b"], targets, (" x", " y"), characters=2, most=9)
    with pytest.raises(DataError, match="needs choices"):
        fit_linear(["a", "b"], [0, 0], (), characters=2, most=9)
    with pytest.raises(DataError, match="no rows"):
        fit_linear([], [], (" x", " y"), characters=2, most=9)
    with pytest.raises(DataError, match="label 7"):
        fit_linear(["a", "b"], [0, 1], (" x", " y"), (["c"], [7]), characters=2, most=9)
    with pytest.raises(DataError, match="99 characters"):
        fit_linear(["a", "b"], [0, 1], (" x", " y"), characters=99, most=9)
