"""What was missed, by how much, and the command that would have met it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from lighten.core.budget import Budget
from lighten.core.outcome import Bound
from lighten.core.result import Quantity
from lighten.proof.sequence import fixed_sequence
from lighten.search.ceilings import ceilings_of
from lighten.search.leaderboard import Leaderboard
from lighten.search.missed import loosened, nearest_of, reasons_of

NOTHING: Any = fixed_sequence(())
PLAIN: dict[str, Any] = {"reserve": 60.0, "left_out": (), "refused": {}}


def test_what_misses_a_ceiling_alone_is_nearer_than_what_breaks_quality(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (52.7, 2), 2: (51.0, 40), 3: (80.0, 0)}, under=["toll<=51.3MB"])
    board = Leaderboard(run)
    found = nearest_of(run, board, NOTHING, board.done)
    assert found is not None
    assert found.key == 1
    (over,) = found.missed
    assert over.excess == pytest.approx(0.0273, abs=1e-4)
    words = shlex.split(found.command)
    assert words[words.index("--under") + 1] == "toll<=52.7MB"
    assert words[-1] == "--resume"


def test_a_floor_counts_by_the_loss_that_is_allowed(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 16), 2: (40.0, 100)})
    board = Leaderboard(run)
    found = nearest_of(run, board, NOTHING, board.done)
    assert found is not None
    assert found.key == 1
    assert found.missed[0].kind == "floor"
    assert found.command == ""


def test_two_narrow_misses_are_nearer_than_a_wide_one(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 100), 2: (52.0, 16)}, under=["toll<=51.3MB"])
    board = Leaderboard(run)
    found = nearest_of(run, board, NOTHING, board.done)
    assert found is not None
    assert found.key == 2
    assert {bound.kind for bound in found.missed} == {"floor", "ceiling"}


@pytest.mark.parametrize(
    ("text", "value", "spread", "written"),
    [
        ("memory<=190MB", 195.1, 0.0, "memory<=196MB"),
        ("memory<=190MB", 195.1, 2.0, "memory<=198MB"),
        ("p95<=5ms", 5.13, 0.0, "p95<=5.13ms"),
        ("p95<=5ms", 0.51283, 0.0, "p95<=0.513ms"),
        ("p95<=50%", 5.4, 0.0, "p95<=54%"),
        ("rows_per_second>=500", 412.7, 10.0, "rows_per_second>=402"),
        ("memory<=1GB", 12_345.6, 0.0, "memory<=12346MB"),
    ],
)
def test_a_loosened_ceiling_is_met_and_can_be_read_again(text: str, value: float, spread: float, written: str) -> None:
    units = {"memory": ("MB", "lower"), "p95": ("ms", "lower"), "rows_per_second": ("rows/s", "higher")}
    every = {name: Quantity(name, unit, way, ".") for name, (unit, way) in units.items()}
    (asked,) = Budget.parse((), [text], "p95", quality=(), speed=every.values()).under
    quantity = every[asked.metric]
    limit = asked.limit(10.0, quantity.direction)
    bound = Bound(asked.metric, quantity.unit, quantity.direction, text, "ceiling", value, spread, limit, "missed")
    assert loosened(bound, 10.0) == written
    (again,) = Budget.parse((), [written], "p95", quality=(), speed=every.values()).under
    over = again.limit(10.0, quantity.direction) - value
    assert (over if quantity.direction == "lower" else -over) >= -1e-9


def test_an_empty_search_says_why(measured: Any) -> None:
    run = measured({0: (100.0, 0)}, left=20.0, seconds=60.0)
    board = Leaderboard(run)
    found = reasons_of(
        run, board, board.done, None, reserve=30.0, left_out=["train.lstm"], refused={"gguf": "it is one"}
    )
    assert [reason.kind for reason in found] == ["time", "steps", "conversions"]
    run.refused, run.clock.left = {"ov": "OpenVINO is not installed."}, 50.0
    (engines,) = reasons_of(run, board, board.done, None, **{**PLAIN, "reserve": 30.0})
    assert engines.values == {"names": "ov (OpenVINO is not installed.)"}
    run.refused = {}
    assert [r.kind for r in reasons_of(run, board, board.done, None, **{**PLAIN, "reserve": 30.0})] == ["nothing"]


def test_candidates_that_failed_or_cannot_hold_are_no_empty_search(measured: Any) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 0)})
    board = Leaderboard(run)
    failed = {0: board.done[0], 1: replace(board.done[1], state="failed", reason="BuildFailed: no\nmore")}
    (reason,) = reasons_of(run, board, failed, None, **PLAIN)
    assert (reason.kind, reason.values["first"]) == ("failed", "BuildFailed: no")
    assert [r.kind for r in reasons_of(run, board, board.done, None, **PLAIN)] == ["dearer"]
    assert ceilings_of(run.budget, board.quantities, board.done[1], board.done[0]) == ()
