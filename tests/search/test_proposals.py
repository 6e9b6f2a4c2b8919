"""Bisection finds the cheapest architecture that is good enough, in few trials, and goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lighten.core import catalog
from lighten.core.priors import Priors
from lighten.core.recipe import Recipe, step_from
from lighten.core.space import Space
from lighten.core.step import Step
from lighten.search import proposals
from lighten.search.proposals import Architecture, describe, name_of, next_architecture

pytestmark = pytest.mark.usefixtures("fakes")

FIRST = Priors().first


@pytest.fixture(scope="module")
def space(fakes: None) -> Space:
    return Space.compose("hf", tuple(catalog.load("engines", name)() for name in ("floaty", "toy")), {})


def walk(
    architectures: list[Architecture], good: Callable[[Architecture], bool], known: dict[str, bool] | None = None
) -> list[Architecture]:
    """Every architecture that bisection asks for, in order, when ``known`` was tried before."""
    tried, asked = dict(known or {}), []
    while (architecture := next_architecture(tried, architectures, FIRST)) is not None:
        assert architecture.name not in tried
        tried[architecture.name] = good(architecture)
        asked.append(architecture)
        assert len(asked) <= len(architectures)
    return asked


def test_architectures_are_every_combination_the_largest_first(space: Space) -> None:
    architectures = proposals.architectures(space, proposals.exact_steps(space))
    assert len(architectures) == (1 + 7) * (1 + 3) - 1  # the variant of Thin that keeps everything is none
    shares = [one.share for one in architectures]
    assert shares == sorted(shares, reverse=True)
    assert all(0 < share < 1 for share in shares)
    assert len({one.name for one in architectures}) == len(architectures)
    assert all([type(s).__name__ for s in architecture.exact] == ["Trim"] for architecture in architectures)


def test_recovery_follows_the_last_reshaping_step(space: Space) -> None:
    architecture = Architecture(
        (step_from({"use": "prune.trim"}),), tuple(map(step_from, ({"use": "prune.shrink"}, {"use": "prune.thin"})))
    )
    recovery = [catalog.load_step("distill.relearn")]
    used = [catalog.name_of(step) for step in architecture.recipe(recovery)]
    assert used == ["prune.trim", "prune.shrink", "prune.thin", "distill.relearn"]
    assert Architecture().recipe(recovery) == ()
    assert [step.epochs for step in replace(architecture, epochs=2).recipe(recovery)[-1:]] == [2]
    assert replace(architecture, epochs=2).name == architecture.name


@examples(max_examples=30, deadline=None)
@given(least=st.floats(0.01, 1.0))
def test_bisection_finds_the_cheapest_good_architecture_in_few_trials(space: Space, least: float) -> None:
    architectures = proposals.architectures(space, proposals.exact_steps(space))
    asked = walk(architectures, lambda one: one.share >= least)
    found = [one.share for one in asked if one.share >= least]
    cheapest = min((one.share for one in architectures if one.share >= least), default=None)
    assert min(found, default=None) == cheapest
    assert len(asked) <= 9, [(round(b.share, 3), b.share >= least) for b in asked]


def test_the_first_architecture_is_bold_but_not_too_bold(space: Space) -> None:
    first = next_architecture({}, proposals.architectures(space, proposals.exact_steps(space)), FIRST)
    assert first is not None
    assert first.share == pytest.approx(FIRST, abs=0.06)
    assert len(first.reshaping) == 1


@pytest.mark.parametrize("good", [True, False])
def test_when_all_are_alike_it_ends_soon(space: Space, good: bool) -> None:
    architectures = proposals.architectures(space, proposals.exact_steps(space))
    asked = walk(architectures, lambda architecture: good)
    assert len(asked) <= 9
    ends = (min, max)[not good]
    assert asked[-1].share == ends(one.share for one in architectures)


@examples(max_examples=20, deadline=None)
@given(least=st.floats(0.05, 0.9), cut=st.integers(0, 9))
def test_a_resumed_search_asks_the_same(space: Space, least: float, cut: int) -> None:
    architectures = proposals.architectures(space, proposals.exact_steps(space))
    whole = [one.name for one in walk(architectures, lambda one: one.share >= least)]
    known = {one.name: one.share >= least for one in architectures if one.name in whole[:cut]}
    shuffled = dict(sorted(known.items()))  # the order in which the study lists them plays no part
    assert [one.name for one in walk(architectures, lambda one: one.share >= least, shuffled)] == whole[cut:]


@examples(max_examples=20, deadline=None)
@given(st.data())
def test_noise_never_makes_it_ask_twice_or_for_ever(space: Space, data: st.DataObject) -> None:
    architectures = proposals.architectures(space, proposals.exact_steps(space))
    asked = walk(architectures, lambda architecture: data.draw(st.booleans()))
    assert len({one.name for one in asked}) == len(asked)


def test_architectures_of_another_search_do_not_confuse_it(space: Space) -> None:
    architectures = proposals.architectures(space, proposals.exact_steps(space))
    assert next_architecture({"gone(keep=0.1)": False}, architectures, FIRST) == next_architecture(
        {}, architectures, FIRST
    )
    assert next_architecture({}, [], FIRST) is None


def test_every_candidate_is_a_point_and_every_point_a_candidate(space: Space) -> None:
    variants = list(space.variants)
    choices = proposals.choices(space, variants)
    assert all(len(set(values)) == len(values) for values in choices.values())
    assert choices["prune.trim"] == ["off", "trim"]
    for architecture in (
        Architecture(),
        Architecture(proposals.exact_steps(space)),
        *proposals.architectures(space, proposals.exact_steps(space)),
    ):
        for variant in variants:
            point = proposals.parameters(space, architecture, variant)
            assert all(point[name] in values for name, values in choices.items())
            assert set(point) == set(choices)
            assert proposals.from_parameters(space, variants, point) == (architecture, variant)


def test_every_candidate_has_a_name_of_its_own(space: Space) -> None:
    names = [
        name_of((*architecture.recipe(space.recovery), *variant.steps), variant.engine)
        for architecture in (
            Architecture(),
            Architecture(proposals.exact_steps(space)),
            *proposals.architectures(space, proposals.exact_steps(space)),
        )
        for variant in space.variants
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("steps", "engine", "name"),
    [
        ([], {"use": "floaty"}, "as it is @ floaty"),
        ([], {"use": "toy", "streams": 4}, "as it is @ toy(streams=4)"),
        (
            [{"use": "prune.shrink"}, {"use": "distill.relearn", "epochs": 7}, {"use": "quantize.small", "bits": 4}],
            {"use": "toy"},
            "shrink(keep=0.5) + small(bits=4) @ toy",
        ),
        ([{"use": "prune.shrink", "seats": 2, "keep": 0.2}], {"use": "toy"}, "shrink(keep=0.2, seats=2) @ toy"),
    ],
)
def test_names_say_what_matters(steps: list[dict[str, Any]], engine: dict[str, Any], name: str) -> None:
    recipe = Recipe(
        "m",
        tuple(map(step_from, steps)),
        catalog.load("engines", engine["use"])(**{k: v for k, v in engine.items() if k != "use"}),
    )
    assert name_of(recipe.steps, recipe.engine) == name


def test_a_description_shows_what_was_chosen(space: Space) -> None:
    assert describe(step_from({"use": "prune.trim"})) == "trim"
    assert describe(step_from({"use": "prune.thin"})) == "thin(width=1.0)"


def test_what_is_learned_slowly_comes_last_and_only_where_the_time_allows(space: Space) -> None:
    @dataclass(frozen=True)
    class Slow(Step):
        consumes = ("hf",)
        minutes: int = 1

        def run(self, model: Any, needs: Any) -> Any:
            return model

        def seconds(self, characters: int) -> float:
            return self.minutes * characters * 6e-5

    quick, slow, slower = space.variants[0], *(replace(space.variants[1], steps=(Slow(n),)) for n in (1, 2))
    given = [slower, slow, quick]
    assert proposals.affordable(given, 10**6, None) == [quick, slower, slow]
    assert proposals.affordable(given, 10**6, 181 / proposals.LEARNED) == [quick, slower, slow]
    assert proposals.affordable(given, 10**6, 179 / proposals.LEARNED) == [quick, slow]
    assert proposals.affordable(given, 10**6, 61 / proposals.LEARNED) == [quick, slow]
    assert proposals.affordable(given, 10**6, 59 / proposals.LEARNED) == [quick]
    assert proposals.left_out(space.variants, space.variants) == []
    assert "quantize.small" in proposals.left_out(space.variants, space.variants[:2])
