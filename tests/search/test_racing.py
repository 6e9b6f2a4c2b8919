"""Who looks good enough, what it costs, and which training is hopeless."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.budget import Budget
from lighten.core.result import HIGHER, LOWER, Candidate, Quantity, Result
from lighten.search.racing import cost, frontier, hopeless_below, promising, shortfall

QUALITY = [Quantity("accuracy", "fraction", HIGHER, "."), Quantity("log_loss", "nats", LOWER, ".")]
SPEED = [Quantity("p95", "ms", LOWER, "."), Quantity("rows_per_second", "rows/s", HIGHER, ".")]
BY_NAME = {q.name: q for q in (*QUALITY, *SPEED)}


def candidate(key: int = 1, state: str = "ok", ratio: float | None = None, **values: float | None) -> Candidate:
    results = {
        name: Result("", "ort", "cpu", name, value, BY_NAME[name].unit, BY_NAME[name].direction, 100, ratio=ratio)
        for name, value in values.items()
    }
    return Candidate(key, f"c{key}", (), "ort", state=state, results=results)


def budget(*texts: str, minimize: str = "p95") -> Budget:
    keep = [t for t in texts if t.startswith(("accuracy", "log_loss"))]
    return Budget.parse(keep, [t for t in texts if t not in keep], minimize, quality=QUALITY, speed=SPEED)


def missed(text: str, own: Candidate, original: Candidate) -> float | None:
    (constraint,) = (*budget(text).keep, *budget(text).under)
    return shortfall(constraint, BY_NAME[constraint.metric], own, original)


ORIGINAL = candidate(0, accuracy=0.9, log_loss=0.4, p95=10.0, rows_per_second=100.0)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("accuracy>=-1pt", 0.87, 0.02),
        ("accuracy>=-1pt", 0.92, -0.03),
        ("accuracy>=0.85", 0.80, 0.05),
        ("log_loss<=+25%", 0.6, 0.1),
        ("p95<=5ms", 7.0, 2.0),
        ("p95<=50%", 4.0, -1.0),
        ("rows_per_second>=300%", 250.0, 50.0),
    ],
)
def test_shortfall_is_how_much_is_missing_in_the_unit_of_the_quantity(text: str, value: float, expected: float) -> None:
    own = candidate(**{text.replace("<", ">").split(">")[0]: value})
    assert missed(text, own, ORIGINAL) == pytest.approx(expected)


def test_shortfall_is_unknown_when_a_value_is() -> None:
    assert missed("p95<=5ms", candidate(), ORIGINAL) is None
    assert missed("p95<=5ms", candidate(p95=None), ORIGINAL) is None
    assert missed("p95<=50%", candidate(p95=3.0), candidate(0)) is None
    assert missed("p95<=5ms", candidate(p95=3.0), candidate(0)) == pytest.approx(-2.0)


def test_promising_meets_every_floor_and_ceiling() -> None:
    wanted = budget("accuracy>=-1pt", "p95<=5ms")
    assert promising(candidate(accuracy=0.895, p95=4.0), ORIGINAL, wanted, BY_NAME)
    assert not promising(candidate(accuracy=0.885, p95=4.0), ORIGINAL, wanted, BY_NAME)
    assert not promising(candidate(accuracy=0.95, p95=6.0), ORIGINAL, wanted, BY_NAME)
    assert not promising(candidate(accuracy=0.95, p95=None), ORIGINAL, wanted, BY_NAME)
    assert not promising(candidate(state="failed", accuracy=0.95, p95=1.0), ORIGINAL, wanted, BY_NAME)
    assert promising(candidate(accuracy=0.85, p95=5.0), ORIGINAL, budget("accuracy>=0.85", "p95<=5ms"), BY_NAME)


def test_cost_is_below_one_when_better() -> None:
    assert cost(candidate(p95=4.0, ratio=2.5), ORIGINAL, budget(), BY_NAME) == pytest.approx(0.4)
    assert cost(candidate(p95=4.0), ORIGINAL, budget(), BY_NAME) == pytest.approx(0.4)
    upward = budget(minimize="throughput")
    assert cost(candidate(rows_per_second=400.0, ratio=5.0), ORIGINAL, upward, BY_NAME) == pytest.approx(0.2)
    assert cost(candidate(rows_per_second=400.0), ORIGINAL, upward, BY_NAME) == pytest.approx(0.25)
    assert cost(candidate(), ORIGINAL, budget(), BY_NAME) is None
    assert cost(candidate(p95=None), ORIGINAL, budget(), BY_NAME) is None
    assert cost(candidate(p95=4.0), candidate(0), budget(), BY_NAME) is None


points = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12)


@given(points)
def test_the_frontier_is_what_no_other_beats(drawn: list[tuple[int, int]]) -> None:
    made = [(candidate(i), float(price), float(gain)) for i, (price, gain) in enumerate(drawn)]
    kept = {c.key for c in frontier(made)}
    for i, (price, gain) in enumerate(drawn):
        beaten = any(p <= price and g >= gain and (p, g) != (price, gain) for p, g in drawn)
        if beaten:
            assert i not in kept
        else:
            assert any(drawn[k] == (price, gain) for k in kept)
    prices = [drawn[c.key][0] for c in frontier(made)]
    assert prices == sorted(prices)
    assert len({drawn[k] for k in kept}) == len(kept)


def test_a_training_is_hopeless_only_beyond_three_standard_errors() -> None:
    least = hopeless_below(0.9, 0.01, 400)
    assert least == pytest.approx(0.9 - 0.01 - 3 * 0.015)
    assert hopeless_below(0.9, 0.01, 10_000) > least
    assert hopeless_below(1.0, 0.01, 100) < 0.99
    assert hopeless_below(0.9, 0.01, 0) < 0


def test_chance_rarely_stops_a_candidate_that_is_good_enough() -> None:
    rng = random.Random(0)
    rows, stopped = 400, 0
    for _ in range(300):
        value = sum(rng.random() < 0.89 for _ in range(rows)) / rows
        stopped += value < hopeless_below(0.9, 0.01, rows)
    assert stopped <= 3
