"""One request at a time, all of them, and percentiles as they are defined."""

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.meter import Workload
from lighten.meters import latency
from lighten.testing.sessions import RecordingSession

WORK = Workload(tuple(f"single {i}" for i in range(23)), tuple(f"row {i}" for i in range(50)), 12_300_000, 1.25)


def test_latency_sends_one_request_at_a_time_and_the_turns_cover_them_all() -> None:
    meter, session = catalog.load("meters", "latency")(), RecordingSession()
    for number in range(meter.turns):
        meter.turn(session, WORK, number)
    assert all(len(inputs) == 1 for inputs in session.asked)
    assert sorted(inputs[0] for inputs in session.asked) == sorted(WORK.singles)
    session.asked.clear()
    meter.turn(session, WORK, meter.turns)
    again = list(session.asked)
    session.asked.clear()
    meter.turn(session, WORK, 0)
    assert again == session.asked


def test_latency_warms_up_with_all_requests_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    meter, session = catalog.load("meters", "latency")(), RecordingSession()
    assert meter.turn(session, WORK, -1) == {"ms": []}
    assert len(session.asked) == len(WORK.singles)
    session.asked.clear()
    monkeypatch.setattr(latency, "perf_counter", lambda: float(len(session.asked)))
    meter.turn(session, WORK, -1)
    assert len(session.asked) == 3


def test_latency_of_few_requests() -> None:
    meter, session = catalog.load("meters", "latency")(), RecordingSession()
    for number in range(meter.turns):
        turn = meter.turn(session, Workload(("only one",), ("x",)), number)
        assert len(turn["ms"]) == 1


def test_latency_percentiles_by_hand() -> None:
    meter = catalog.load("meters", "latency")()
    found = meter.reduce([{"ms": list(range(1, 101))}, {"ms": list(range(101, 201))}])
    assert found["p50"].value == 100.5 and found["p50"].n == 200 and found["p50"].spread == pytest.approx(25.0)
    assert found["p95"].value == pytest.approx(np.percentile(np.arange(1, 201), 95)) and found["p95"].note == ""
    few = meter.reduce([{"ms": [1.0, 2.0, 9.0]}])
    assert few["p50"].value == 2.0 and few["p50"].spread is None
    assert few["p99"].value == 9.0 and few["p99"].note == "the slowest of 3 requests"
    assert meter.reduce([])["p50"].value is None
