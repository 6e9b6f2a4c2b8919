"""The search over architectures goes up as well as down: what is in doubt sends it to what is larger first."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.priors import Priors
from lighten.core.space import Space
from lighten.search import proposals
from lighten.search.architectures import LIKELY, Architectures
from lighten.search.leaderboard import Leaderboard
from lighten.search.proposals import Architecture

pytestmark = pytest.mark.usefixtures("fakes")


@pytest.fixture(scope="module")
def space(fakes: None) -> Space:
    return Space.compose("hf", tuple(catalog.load("engines", name)() for name in ("floaty", "toy")), {})


class World:
    """Where an architecture loses rows by how little of it is left, and every architecture costs one trial."""

    def __init__(self, run: Any, space: Space, wrong: Callable[[Architecture], int], trials: int) -> None:
        self.run, self.space, self.board, self.reserve = run, space, Leaderboard(run), 0.0
        self.wrong, self.trials, self.asked = wrong, trials, list[Architecture]()
        self.planning = SimpleNamespace(variant=lambda: 0.0)
        self.variants = SimpleNamespace(best=lambda: [space.variants[0]])

    def spent(self) -> bool:
        return len(self.asked) >= self.trials

    def epochs_for(self, architecture: Architecture) -> float | None:
        return None

    def attempt(self, architecture: Architecture, variant: Any) -> bool:
        if self.spent():
            return False
        self.asked.append(architecture)
        key = len(self.asked)
        self.board.done[key] = SimpleNamespace(key=key, state="ok", wrong=self.wrong(architecture))  # type: ignore[assignment]
        self.board.remember_architecture(key, architecture.name)
        return True


def shares(measured: Any, space: Space, chance: Callable[[float], float], trials: int = 6) -> list[float]:
    """Shares of the architectures that are tried, in order, where one with that share has that chance to hold."""
    world: Any = World(measured({0: (100.0, 0)}), space, lambda architecture: 0, trials)
    every = proposals.architectures(space)
    names = {one.name: one.share for one in every}
    world.board.chance = lambda candidate: (
        chance(names[world.board.architecture_of(candidate.key)]) if candidate.key else 1.0
    )
    Architectures(world).go(every)
    return [one.share for one in world.asked]


def test_an_architecture_in_doubt_sends_the_search_upward_first(measured: Any, space: Space) -> None:
    """As on 77 intents: the first architecture has an even chance, and what is a little larger would hold."""
    tried = shares(measured, space, lambda share: 0.95 if share >= 0.6 else 0.5 if share >= 0.35 else 0.0)
    assert tried[0] == pytest.approx(Priors().first, abs=0.06)
    assert tried[1] >= 0.6
    assert min(tried) == tried[0]


def test_a_failure_is_followed_by_what_is_larger(measured: Any, space: Space) -> None:
    tried = shares(measured, space, lambda share: 0.95 if share >= 0.9 else 0.0)
    assert tried == sorted(tried)
    assert tried[-1] == max(one.share for one in proposals.architectures(space))


def test_what_is_likely_to_hold_is_followed_by_what_is_smaller(measured: Any, space: Space) -> None:
    tried = shares(measured, space, lambda share: 0.95 if share >= 0.15 else 0.0)
    assert tried[1] < tried[0]
    assert min(share for share in tried if share >= 0.15) < 0.2


@pytest.mark.parametrize("chance", [0.0, 0.5, LIKELY - 0.01])
def test_nothing_below_the_threshold_counts_as_a_success(measured: Any, space: Space, chance: float) -> None:
    tried = shares(measured, space, lambda share: chance)
    assert tried[0] == min(tried)


def test_a_search_without_time_for_an_architecture_ends(measured: Any, space: Space) -> None:
    world: Any = World(measured({0: (100.0, 0)}), space, lambda architecture: 0, 6)
    world.epochs_for = lambda architecture: 0.0
    Architectures(world).go(proposals.architectures(space))
    assert world.asked == []


@pytest.mark.parametrize(("wrong", "far"), [(18, False), (60, True)])
def test_what_misses_a_floor_by_more_than_it_allows_is_far(measured: Any, space: Space, wrong: int, far: bool) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, wrong)})  # of 400 rows, of which three points are allowed
    board = Leaderboard(run)
    found, one = Architectures(SimpleNamespace(run=run, board=board)), proposals.architectures(space)[0]  # type: ignore[arg-type]
    assert found._is_far(one)  # nothing was made of it
    board.remember_architecture(1, one.name)
    assert found._is_far(one) is far


def test_where_coarse_formats_failed_narrowly_the_finest_is_tried(measured: Any, space: Space) -> None:
    run = measured({0: (100.0, 0), 1: (50.0, 18)})
    board, tried, one = Leaderboard(run), list[Any](), proposals.architectures(space)[0]
    board.remember_architecture(1, one.name)

    def step(share: float) -> Any:
        return SimpleNamespace(share=lambda facts: share)

    rounded = [SimpleNamespace(steps=(step(share),)) for share in (0.25, 0.5, 0.3)]
    attempts: Any = SimpleNamespace(
        run=run, board=board, reserve=0.0, planning=SimpleNamespace(variant=lambda: 1.0),
        variants=SimpleNamespace(roundings=lambda: [rounded]),
        attempt=lambda architecture, variant: tried.append(variant),
    )  # fmt: skip
    search = Architectures(attempts)
    search._round_less(one)
    assert tried == []  # answers are quick here: every variant was tried
    search._slow = True
    search._round_less(one)
    assert tried == [rounded[1]]
    run.clock.left = 0.5
    search._round_less(one)
    assert len(tried) == 1
