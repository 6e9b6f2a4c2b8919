"""A ceiling is met, missed, or too close to tell, by the spread of what was measured."""

from __future__ import annotations

import pytest

from lighten.core.budget import Budget
from lighten.core.result import HIGHER, LOWER, Candidate, Quantity, Result
from lighten.search.ceilings import bound_of, ceilings_of, floors_of, is_out

P95, RATE = Quantity("p95", "ms", LOWER, "."), Quantity("rows_per_second", "rows/s", HIGHER, ".")
ACCURACY = Quantity("accuracy", "fraction", HIGHER, ".")
EVERY = {q.name: q for q in (P95, RATE, ACCURACY)}


def candidate(key: int, spread: float | None = None, **values: float | None) -> Candidate:
    results = {n: Result("", "e", "cpu", n, v, EVERY[n].unit, EVERY[n].direction, 5, spread) for n, v in values.items()}
    return Candidate(key, f"c{key}", (), "e", state="ok", results=results)


ORIGINAL = candidate(0, 0.4, p95=10.0, rows_per_second=100.0, accuracy=0.9)


@pytest.mark.parametrize(
    ("text", "value", "spread", "state", "close"),
    [
        ("p95<=5ms", 4.0, 0.3, "met", False),
        ("p95<=5ms", 4.9, 0.3, "met", True),
        ("p95<=5ms", 5.1, 0.3, "close", True),
        ("p95<=5ms", 5.4, 0.3, "missed", False),
        ("p95<=5ms", 5.1, None, "missed", False),
        ("p95<=50%", 5.1, None, "close", True),  # the limit moves with the original, which has a spread of 0.4 ms
        ("p95<=50%", 5.3, None, "missed", False),
        ("rows_per_second>=300", 290.0, 12.0, "close", True),
        ("rows_per_second>=300", 280.0, 12.0, "missed", False),
        ("p95<=5ms", None, None, "unknown", False),
    ],
)
def test_states(text: str, value: float | None, spread: float | None, state: str, close: bool) -> None:
    budget = Budget.parse((), [text], "p95", quality=[ACCURACY], speed=[P95, RATE])
    metric = budget.under[0].metric
    (bound,) = ceilings_of(budget, EVERY, candidate(1, spread, **{metric: value}), ORIGINAL)
    assert (bound.state, bound.is_close) == (state, close)
    assert is_out((bound,)) == (state in ("missed", "unknown"))


def test_a_relative_ceiling_without_an_original_is_unknown() -> None:
    budget = Budget.parse((), ["p95<=50%"], "p95", quality=[ACCURACY], speed=[P95, RATE])
    assert bound_of(budget.under[0], P95, candidate(1, p95=1.0), candidate(0)).state == "unknown"


def test_floors_on_select_have_no_spread() -> None:
    budget = Budget.parse(["accuracy>=-1pt"], (), "p95", quality=[ACCURACY], speed=[P95, RATE])
    (floor,) = floors_of(budget, EVERY, candidate(1, 0.3, accuracy=0.88), ORIGINAL)
    assert (floor.kind, floor.state, floor.spread) == ("floor", "missed", 0.0)
    assert floor.limit == pytest.approx(0.89)
