"""Training makes the text that was learned likelier, keeps what is best on held-out text, and follows the seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lighten.core.errors import DataError
from lighten.core.language import Span
from lighten.nets.baselines.byte_model import BOUNDARY, symbols_of
from lighten.nets.baselines.lstm import ByteLstm
from lighten.nets.baselines.lstm_loop import (
    ALONG,
    IGNORED,
    LONGEST,
    LstmSchedule,
    batches,
    fit_lstm,
    padded,
    rows_of,
    stretches,
)

SCHEDULE = LstmSchedule(width=24, epochs=6, rate=2e-2, rows=8)
WORDS = ("the film is good", "the day is long", "a good day", "the film is long and the day is good")


def texts(count: int, seed: int) -> list[str]:
    drawn = np.random.default_rng(seed)
    return [". ".join(drawn.choice(WORDS, 6)) for _ in range(count)]


def bits(model: ByteLstm, unseen: list[str]) -> float:
    scores = model.score([Span((BOUNDARY,), tuple(symbols_of(text))) for text in unseen])
    return float(-np.concatenate([score.logprobs for score in scores]).mean() / np.log(2))


def test_learning_makes_unseen_text_of_the_kind_likely() -> None:
    told: list[tuple[int, int, float]] = []
    heard = lambda *said: told.append(said)  # noqa: E731
    model = fit_lstm(texts(80, 0), texts(8, 1), SCHEDULE, seed=0, heard=heard)
    assert bits(model, texts(8, 2)) < 1.5 < 3 < bits(model, ["zqx jvk"])
    done, total, last = told[-1]
    assert done == total and last == pytest.approx(bits(model, texts(8, 1)), abs=0.1)
    assert [one[0] for one in told] == list(range(1, total + 1))


def test_the_seed_alone_decides_and_torch_s_own_draws_are_left_alone() -> None:
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    schedule = LstmSchedule(8, 1, 1e-2, 4)
    one, two, other = (fit_lstm(texts(6, 0), [], schedule, seed=seed).tensors() for seed in (0, 0, 1))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["recurrent"], other["recurrent"])
    assert torch.equal(torch.rand(3), wanted)


def test_training_that_only_harms_held_out_text_ends_early_and_is_undone() -> None:
    told: list[int] = []
    schedule = LstmSchedule(16, 12, 2e-2, 8)
    model = fit_lstm(
        ["zzzz" * 40] * 40, ["the day"], schedule, seed=0, heard=lambda done, total, last: told.append(done)
    )
    assert told[-1] < 12 * stretches(rows_of(["zzzz" * 40])) * 5
    assert bits(model, ["the day"]) < 8.2, "the weights before it learned z and nothing else are kept"


def test_rows_are_whole_texts_and_long_ones_lose_nothing() -> None:
    raw = "abc" * LONGEST
    rows = rows_of(["hi", raw])
    assert rows[0].tolist() == [BOUNDARY, *b"hi", BOUNDARY]
    learned = np.concatenate([row[1:] for row in rows[1:]])
    assert learned.tolist() == [*raw.encode(), BOUNDARY]
    inputs, targets = padded([rows[0], np.array([BOUNDARY, 97, 98, 99, BOUNDARY])])
    assert inputs.shape == targets.shape == (2, 4)
    assert targets[0].tolist() == [*b"hi", BOUNDARY, IGNORED]


def test_short_rows_stand_side_by_side_in_greater_number() -> None:
    rows = rows_of(["x" * 15] * 64 + ["y" * 500] * 8)
    found = list(batches(rows, 4, np.random.default_rng(0)))
    side = 4 * ALONG // 16
    assert sorted(map(len, found)) == [4, 4, *[side] * (64 // side)]
    assert sum(map(len, found)) == len(rows)
    assert stretches(found[-1]) == -(-501 // ALONG)


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(DataError, match="no text"):
        fit_lstm(["", ""], [], SCHEDULE, seed=0)
    with pytest.raises(DataError, match="wide"):
        fit_lstm(["text"], [], LstmSchedule(0, 1, 1e-3, 1), seed=0)
