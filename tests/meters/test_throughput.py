"""One run of the batch gives rows per second, CPU-seconds and energy."""

import pytest

from lighten.core import catalog
from lighten.core.meter import Workload
from lighten.meters import throughput
from lighten.testing.sessions import RecordingSession

WORK = Workload(tuple(f"single {i}" for i in range(23)), tuple(f"row {i}" for i in range(50)), 12_300_000, 1.25)


def test_throughput_takes_one_run_for_all_its_quantities() -> None:
    meter, session = catalog.load("meters", "throughput")(), RecordingSession()
    meter.turn(session, WORK, 0)
    assert session.asked == [WORK.batch]
    turns = [{"rows": 100, "seconds": s, "cpu": s * 2, "joules": None, "note": "unknown"} for s in (1.0, 2.0, 4.0)]
    found = meter.reduce(turns)
    assert found["rows_per_second"].value == 50.0 and found["rows_per_second"].n == 300
    assert found["cpu"].value == 40.0
    assert found["energy"].value is None and found["energy"].note == "unknown"
    found = meter.reduce([{**turn, "joules": 5.0, "note": ""} for turn in turns])
    assert found["energy"].value == 50.0


def test_cpu_seconds_are_those_of_all_threads() -> None:
    turn = catalog.load("meters", "throughput")().turn(RecordingSession(burn=0.2), WORK, 0)
    assert turn["cpu"] >= 0.2


def test_energy_without_a_counter_is_unknown_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput.rapl, "counters", dict)
    meter = catalog.load("meters", "throughput")()
    energy = meter.reduce([meter.turn(RecordingSession(), WORK, 0)])["energy"]
    assert energy.value is None and energy.note.startswith("unknown: ")
