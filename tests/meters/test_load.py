"""Seconds that opening took."""

from dataclasses import replace

from lighten.core import catalog
from lighten.core.meter import Workload
from lighten.testing.sessions import RecordingSession


def test_load_is_taken_over() -> None:
    meter = catalog.load("meters", "load")()
    work = Workload(("a",), ("b",), files=12_300_000, load_seconds=1.25)
    found = meter.reduce([meter.turn(RecordingSession(), work, 0)])["load"]
    assert (found.value, found.n) == (1.25, 1)
    busy = meter.turn(RecordingSession(), replace(work, load_others=0.4), 0)
    assert busy == {"seconds": 1.25, "others": 0.4}
