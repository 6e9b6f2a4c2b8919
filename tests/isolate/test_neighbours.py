"""What others take is what is busy and not ours; under a quota, what we waited for."""

from itertools import count
from pathlib import Path

import pytest

from lighten.isolate import neighbours
from lighten.isolate.neighbours import Neighbours, waited_seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes between two looks, of which this process uses half on one core, of two."""
    wall, own = count(), count()
    monkeypatch.setattr(neighbours, "perf_counter", lambda: float(next(wall)))
    monkeypatch.setattr(neighbours, "process_time", lambda: next(own) / 2)
    monkeypatch.setattr(neighbours, "allowed_cores", lambda: 2)


@pytest.mark.usefixtures("clocks")
@pytest.mark.parametrize(
    ("busy", "waited", "share"),
    [
        ((10.0, 12.0), (None, None), 0.75),  # of 2 core-seconds that were busy, half a one was ours
        ((10.0, 10.4), (None, None), 0.0),
        ((None, None), (1.0, 1.5), 0.25),
        ((None, None), (None, None), None),
    ],
)
def test_share(
    busy: tuple[float | None, ...],
    waited: tuple[float | None, ...],
    share: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy_now, waited_now = iter(busy), iter(waited)
    monkeypatch.setattr(neighbours, "busy_seconds", lambda: next(busy_now))
    monkeypatch.setattr(neighbours, "waited_seconds", lambda: next(waited_now))
    assert Neighbours().share() == share


def test_what_is_too_short_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = count()
    monkeypatch.setattr(neighbours, "perf_counter", lambda: next(wall) / 20)
    assert Neighbours().share() is None


def test_waiting_is_summed_over_the_threads(tmp_path: Path) -> None:
    for thread, text in {"1": "5 1500000000 3", "2": "9 500000000 1", "3": "?"}.items():
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(text)
    (tmp_path / "4").mkdir()  # has ended
    assert waited_seconds(tmp_path) == 2.0
    assert waited_seconds(tmp_path / "none") is None
