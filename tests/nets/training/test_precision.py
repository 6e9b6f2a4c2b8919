"""Threads are given back; bf16 is used where it was measured to be faster, or where the environment says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lighten.core.errors import InputError
from lighten.nets.encoders.network import open_network
from lighten.nets.training import precision
from lighten.nets.training.precision import autocast_dtype, using_threads
from lighten.testing.tiny import tiny_network_folder


def test_threads_are_given_back_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), using_threads(1):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_the_clock_decides_once(tmp_path: Path, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(precision.SWITCH)
    net = open_network(tiny_network_folder(tmp_path, family)).net
    precision._speedup.cache_clear()
    first = autocast_dtype(net, 1)
    assert autocast_dtype(net, 1) is first
    assert precision._speedup.cache_info().misses == 1
    assert first is (
        torch.bfloat16
        if precision._speedup(precision.LEAST_HIDDEN, precision.LEAST_WIDE, 1) >= precision.WORTH
        else None
    )


@pytest.mark.parametrize(("said", "dtype"), [("fp32", None), ("bf16", torch.bfloat16)])
def test_the_environment_decides_instead_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, dtype: torch.dtype | None
) -> None:
    monkeypatch.setenv(precision.SWITCH, said)
    precision._speedup.cache_clear()
    assert autocast_dtype(open_network(tiny_network_folder(tmp_path)).net, 1) is dtype
    assert precision._speedup.cache_info().misses == 0


def test_a_precision_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(precision.SWITCH, "fp16")
    with pytest.raises(InputError, match="LIGHTEN_PRECISION is 'fp16'") as caught:
        autocast_dtype(open_network(tiny_network_folder(tmp_path)).net, 1)
    assert caught.value.allowed == "auto, fp32, bf16"


def test_a_network_is_timed_on_more_rows_while_they_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    net, asked = torch.nn.Linear(2, 1), []

    def ask(rows: int) -> torch.Tensor:
        asked.append(rows)
        return net(torch.ones(rows, 2))

    monkeypatch.setattr(precision, "BRIEF", float("inf"))
    monkeypatch.setenv(precision.SWITCH, "auto")
    autocast_dtype(net, 1, ask, 100)
    assert asked[:3] == [16, 32, 64]
    assert set(asked[3:]) == {100}


def test_a_network_whose_few_rows_take_long_is_timed_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    net, asked = torch.nn.Linear(2, 1), []

    def ask(rows: int) -> torch.Tensor:
        asked.append(rows)
        return net(torch.ones(rows, 2))

    monkeypatch.setattr(precision, "BRIEF", 0.0)
    monkeypatch.setenv(precision.SWITCH, "auto")
    autocast_dtype(net, 1, ask, 100)
    assert set(asked) == {16}


def test_what_is_far_slower_is_timed_no_more_once_that_took_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "ENOUGH", float("inf"))
    times = {torch.float32: [9.0, 1.0, 2.0, 2.0], torch.bfloat16: [99.0, 2.0, 0.5, 2.0]}
    assert precision.speedup_by_turns(lambda dtype: times[dtype].pop(0), 3) == 2.0
    assert not any(times.values())
    times = {torch.float32: [9.0, 1.0, 2.0], torch.bfloat16: [99.0, 60.0, 0.5]}
    assert precision.speedup_by_turns(lambda dtype: times[dtype].pop(0), 2) == 2.0  # one busy moment decides nothing
    monkeypatch.setattr(precision, "ENOUGH", 0.0)
    times = {torch.float32: [9.0, 1.0, 2.0], torch.bfloat16: [99.0, 60.0, 0.5]}
    assert precision.speedup_by_turns(lambda dtype: times[dtype].pop(0), 2) == 1 / 60
    assert times == {torch.float32: [2.0], torch.bfloat16: [0.5]}
