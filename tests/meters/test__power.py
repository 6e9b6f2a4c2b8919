"""What rows can prove, by hand: shares of rows, scores, means over classes."""

from __future__ import annotations

import pytest

from lighten.core.budget import Constraint
from lighten.core.result import HIGHER, LOWER, Quantity
from lighten.core.rows import Rows
from lighten.meters._power import class_means, scores, shares

ACCURACY, FLIPS = Quantity("accuracy", "fraction", HIGHER, "."), Quantity("flips", "fraction", LOWER, ".")


def floor(bound: float, relative: str = "points") -> Constraint:
    return Constraint("metric", bound, relative, "")


def rows(n: int, units: int = 0) -> Rows:
    return Rows(("",) * n, (0,) * n, units=tuple(f"u{i % units}" for i in range(n)) if units else ())


def test_a_loss_of_a_share_of_rows() -> None:
    found = shares(ACCURACY, floor(0.01), 1000)
    assert (found.n, found.of, found.kind, found.enough) == (1000, "rows", "difference", 299)
    assert found.provable == pytest.approx(2.4865 * (0.05 / 1000) ** 0.5, abs=1e-4)
    assert found.least == pytest.approx(0.002991, abs=1e-6)


def test_rows_of_units_count_as_units_and_never_as_fewer_than_a_verdict_needs() -> None:
    found = shares(ACCURACY, floor(0.2), 1000, [f"u{i % 40}" for i in range(1000)])
    assert (found.n, found.of, found.enough) == (40, "units", 30)
    large = [*["one"] * 500, *(f"u{i}" for i in range(500))]
    assert shares(ACCURACY, floor(0.2), 1000, large).n == 3  # 1000^2 / (500^2 + 500)


def test_a_value_that_is_asked() -> None:
    found = shares(ACCURACY, floor(0.9, ""), 1000)
    assert (found.kind, found.provable, found.enough) == ("absolute", 0.916, 29)
    most = shares(FLIPS, floor(0.02, ""), 1000)
    assert most.kind == "absolute" and most.provable == pytest.approx(0.012) and most.enough == 149
    assert shares(FLIPS, floor(0.02), 1000) == most  # the original changes none of its own answers
    assert shares(ACCURACY, floor(1.0, ""), 1000).enough is None and shares(FLIPS, floor(0.0, ""), 9).enough is None


def test_scores_need_units_and_where_a_row_has_a_price_rows() -> None:
    assert scores(floor(0.01), rows(100), of="documents").enough == 30
    assert scores(floor(0.01, "ratio"), rows(100), reach=2.0).enough == 30
    found = scores(floor(0.02), rows(500, 50), reach=2.0)
    assert (found.n, found.of, found.enough, found.provable) == (50, "units", 299, None)
    assert scores(floor(5.0), rows(100), reach=1.0).enough == 30


def test_the_rarest_class_is_named_and_what_it_would_need() -> None:
    found = class_means(floor(0.02), {"often": 900.0, "rare": 20.0}, of_units=False)
    assert (found.which, found.n, found.of) == ("rare", 20, "class")
    assert found.least == pytest.approx(0.139 / 2, abs=1e-3)  # 1 - 0.05 ** (1 / 20) in one class of two
    assert found.enough is not None and 74 <= found.enough <= 80
    assert class_means(floor(1.0, ""), {"a": 9.0}, of_units=True).enough is None
