"""Which variants are tried on the original, and which every architecture is measured in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.recipe import record_of
from lighten.core.space import Space
from lighten.search.leaderboard import Leaderboard
from lighten.search.proposals import variant_name
from lighten.search.variants import Variants

pytestmark = pytest.mark.usefixtures("fakes")


@pytest.fixture
def made(measured: Any) -> Variants:
    """Over the fakes; the original runs in ``floaty``."""
    run = measured({0: (100.0, 0), 1: (50.0, 0), 2: (30.0, 0), 3: (40.0, 0)})
    run.original = type("Model", (), {"format": "hf"})()
    space = Space.compose("hf", tuple(catalog.load("engines", name)() for name in ("floaty", "toy")), {})
    board = Leaderboard(run)
    board.done[0] = replace(board.done[0], engine="floaty", engine_settings={})
    return Variants(run, space, board)


def test_stock_is_every_quantization_on_every_engine_but_the_original(made: Variants) -> None:
    kinds = [(tuple(record_of(s)["use"] for s in d.steps), record_of(d.engine)["use"]) for d in made.stock()]
    assert len(set(kinds)) == len(kinds)
    assert ((), "floaty") not in kinds
    assert (("quantize.small",), "toy") in kinds


def test_architectures_are_measured_in_the_cheapest_good_ones_and_the_study_remembers_them(made: Variants) -> None:
    every = [d for d in made.every if record_of(d.engine)["use"] == "toy"][:3]
    for key, variant in enumerate(every, 1):
        one = made.board.done[key]
        made.board.done[key] = replace(one, name=variant_name(variant), engine="toy")
    assert made.best() == [every[1]]  # the cheapest; one for each engine
    made.board.done[3] = replace(made.board.done[3], state="failed")
    made.board.done[2] = replace(made.board.done[2], state="failed")
    assert made.best() == [every[1]]
    assert made.best("another question") == [every[0]]
    assert made.of(made.board.done[1]) == every[0]


def test_where_none_is_good_it_is_the_originals_own(made: Variants) -> None:
    (own,) = made.best()
    assert made.is_original(own)


def test_tuned_ones_differ_from_the_best_in_one_setting(made: Variants) -> None:
    best = next(d for d in made.space.variants if record_of(d.engine)["use"] == "toy" and not d.steps)
    made.board.done[2] = replace(made.board.done[2], name=variant_name(best), engine="toy")
    found: list[Any] = [d.engine for d in made.tuned()]
    assert [(e.streams, e.pinned) for e in found] == [(1, True), (2, False)]
