"""Requests are drawn from the user's data, with its mix of lengths, the same each time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lighten.core.errors import DataError
from lighten.core.meter import SLICES, Workload
from lighten.core.priors import USUAL
from lighten.core.rows import Rows
from lighten.core.session import Session
from lighten.measure import workload
from lighten.measure.workload import draw, fit


def rows_of(count: int) -> Rows:
    texts = tuple(f"{i} " + "x" * int(length) for i, length in enumerate(np.geomspace(1, 3000, count)))
    return Rows(texts[::-1], (0,) * count)


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    rows = rows_of(2000)
    assert draw(rows) == draw(rows)
    assert draw(rows).singles != draw(rows, seed=1).singles
    assert len(draw(rows).singles) == USUAL.singles and len(draw(rows).batch) == USUAL.batch


def test_lengths_are_those_of_the_data() -> None:
    rows = rows_of(3000)
    lengths = [len(text) for text in rows.inputs]
    for drawn in (draw(rows).singles, draw(rows).batch, draw(rows).batch[:64]):
        own = [len(text) for text in drawn]
        for percent in (25, 50, 75):
            assert 0.4 < np.percentile(own, percent) / np.percentile(lengths, percent) < 2.5
    assert max(len(text) for text in draw(rows).singles) > 0.9 * max(lengths)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_few_rows_are_taken_once_each(count: int) -> None:
    rows = rows_of(count)
    drawn = draw(rows)
    assert len(drawn.singles) == min(count, USUAL.singles) and len(drawn.batch) == count
    assert sorted(drawn.batch) == sorted(rows.inputs) and len(set(drawn.singles)) == len(drawn.singles)


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="no row"):
        draw(Rows((), ()))


class Ticking(Session):
    """Each input moves the clock on."""

    def __init__(self, seconds_per_row: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.cost = 0.0, seconds_per_row
        monkeypatch.setattr(workload, "perf_counter", lambda: self.now)

    def run(self, inputs: Sequence[str]) -> Any:
        self.now += self.cost * len(inputs)

    def close(self) -> None: ...


def test_a_quick_model_keeps_its_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    work = draw(rows_of(2000))
    assert fit(work, Ticking(1e-5, monkeypatch), 10.0) == work


def test_a_slow_model_gets_less_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    work = draw(rows_of(2000))
    fitted = fit(work, Ticking(0.01, monkeypatch), 10.0)
    assert 40 <= len(fitted.singles) < 200 and 64 <= len(fitted.batch) < 512
    assert fitted.singles == work.singles[: len(fitted.singles)] and fitted.batch == work.batch[: len(fitted.batch)]
    assert 0.01 * (len(fitted.singles) * 3 + len(fitted.batch) * 9) <= 10.0


def test_a_very_slow_model_keeps_enough_to_say_something(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = fit(draw(rows_of(2000)), Ticking(5.0, monkeypatch), 10.0)
    assert (len(fitted.singles), len(fitted.batch)) == (workload.LEAST_SINGLES, workload.LEAST_BATCH)
    tiny = Workload(("a",), ("a", "b"))
    assert fit(tiny, Ticking(5.0, monkeypatch), 10.0) == tiny


@pytest.mark.parametrize("count", [40, 200])
def test_every_slice_of_the_singles_has_every_size(count: int) -> None:
    rows = Rows(tuple("x" * size for size in range(1, 1001)), (0,) * 1000)
    singles = draw(rows).singles[:count]
    every = [sorted(map(len, singles[number::SLICES])) for number in range(SLICES)]
    for ranks in zip(*every, strict=True):
        assert max(ranks) - min(ranks) <= 1000 * SLICES / 200
    assert singles != tuple(sorted(singles, key=len))


@pytest.mark.parametrize("seed", range(5))
def test_what_begins_the_singles_has_every_size_too(seed: int) -> None:
    rows = Rows(tuple("x" * size for size in range(1, 1001)), (0,) * 1000)
    sizes = sorted(len(text) for text in draw(rows, seed=seed).singles[:40])
    assert max(b - a for a, b in pairwise([0, *sizes, 1000])) <= 150  # of 1,000; eight hands of five
