"""Rates of a machine: the best of quiet looks, and what is said when there were none."""

from collections.abc import Iterator

import pytest

from lighten.measure import rates
from lighten.measure.rates import Look, Rate, best_of, matmul_rate, memory_bandwidth, product_rate, read_bandwidth


def test_quiet_looks_that_agree_are_believed() -> None:
    assert best_of([Look(42.0, 0.0), Look(42.9, 0.02), Look(41.0, None), Look(40.0, 0.1)]) == Rate(42.9)
    assert best_of([Look(8.0, 0.6), Look(42.9, 0.0), Look(42.0, 0.0), Look(9.0, 0.7), Look(41.0, 0.0)]) == Rate(42.9)


def test_a_machine_that_others_used_all_the_time_is_said_to_be_disturbed() -> None:
    found = best_of([Look(8.0, 0.6), Look(8.4, 0.9), Look(7.0, 0.5), Look(8.1, 0.4)])
    assert found == Rate(8.4, "other processes took up to 90% of the cores")


def test_looks_that_differ_tell_of_a_thief_that_the_kernel_does_not_show() -> None:
    found = best_of([Look(8.0, 0.0), Look(40.0, 0.0), Look(8.4, 0.0), Look(9.0, 0.0)])
    assert found.value == 40.0 and found.disturbed == "repetitions reached from 8 to 40"


class Shares:
    """Stands in for what others took: the next share whenever one look is over."""

    def __init__(self, shares: Iterator[float | None]) -> None:
        self.shares, self.looks = shares, 0

    def __call__(self) -> "Shares":
        self.looks += 1
        return self

    def share(self) -> float | None:
        return next(self.shares)


def test_a_quiet_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(i * rates.LOOK_SECONDS / 2 for i in range(10_000))
    monkeypatch.setattr(rates, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(rates, "sleep", lambda seconds: None)
    shares = Shares(iter([0.9, 0.8, *[0.0] * 99]))
    monkeypatch.setattr(rates, "Neighbours", shares)
    found = rates.measured(lambda: None, 1.0)
    assert not found.disturbed and shares.looks == 2 + rates.QUIET_LOOKS
    loud = Shares(iter([0.5] * 999))
    monkeypatch.setattr(rates, "Neighbours", loud)
    assert "up to 50% of the cores" in rates.measured(lambda: None, 1.0).disturbed and loud.looks > rates.QUIET_LOOKS


def test_the_rates_of_this_machine_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(rates, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(rates, "READ_BYTES", 1 << 20)
    monkeypatch.setattr(rates, "MATRIX", 64)
    for rate in (memory_bandwidth, read_bandwidth, matmul_rate):
        rate.cache_clear()
        assert rate().value > 0.0
    for precision in ("fp32", "bf16"):
        assert product_rate.__wrapped__(precision, 1).value > 0.0  # type: ignore[attr-defined]
        rate.cache_clear()
