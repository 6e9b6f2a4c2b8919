"""Megabytes of the artifact's files."""

from lighten.core import catalog
from lighten.core.meter import Workload
from lighten.testing.sessions import RecordingSession


def test_size_is_taken_over() -> None:
    meter = catalog.load("meters", "size")()
    work = Workload(("a",), ("b",), files=12_300_000, load_seconds=1.25)
    found = meter.reduce([meter.turn(RecordingSession(), work, 0)])["size"]
    assert (found.value, found.n) == (12.3, 1)
