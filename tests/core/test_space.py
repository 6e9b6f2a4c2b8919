"""What can be tried follows from what formats allow."""

from __future__ import annotations

from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.recipe import Recipe, record_of
from lighten.core.space import Space, combinations

pytestmark = pytest.mark.usefixtures("fakes")


def engines(*names: str) -> tuple[Any, ...]:
    return tuple(catalog.load("engines", name)() for name in names)


def compose(**facts: Any) -> Space:
    return Space.compose("hf", engines("floaty", "toy"), facts)


def variants_of(space: Space) -> list[tuple[Any, ...]]:
    return [(*(tuple(record_of(s).values()) for s in d.steps), catalog.name_of(d.engine)) for d in space.variants]


def test_steps_are_sorted_by_what_they_do() -> None:
    space = compose()
    assert [c.__name__ for c in space.reshaping] == ["Shrink", "Thin"]
    assert [c.__name__ for c in space.exact] == ["Trim"]
    assert [c.__name__ for c in space.recovery] == ["Relearn"]


def test_a_step_is_left_out_where_one_that_supersedes_it_can_be_applied() -> None:
    assert [c.__name__ for c in compose(dense=True).recovery] == ["Copy"]


def test_variants_are_what_formats_allow() -> None:
    assert variants_of(compose()) == [
        ("floaty",),
        ("toy",),
        (("quantize.round",), "toy"),
        (("quantize.small", 8), "toy"),
        (("quantize.small", 4), "toy"),
    ]


def test_every_variant_can_be_planned() -> None:
    for variant in compose().variants:
        assert Recipe("m", variant.steps, variant.engine).plan(format="hf") is not None


def test_steps_that_refuse_the_model_are_left_out() -> None:
    assert [c.__name__ for c in compose(solid=True).reshaping] == ["Thin"]


def test_a_format_that_nothing_takes_leaves_nothing() -> None:
    space = Space.compose("gguf", engines("toy"), {})
    assert (space.reshaping, space.exact, space.variants) == ((), (), ())


def test_combinations_are_every_combination_the_most_promising_first() -> None:
    found = combinations(catalog.load("engines", "toy"))
    assert [(e.streams, e.pinned) for e in found] == [(1, False), (1, True), (2, False), (2, True)]
    assert [s.keep for s in combinations(catalog.load_step("prune.shrink"))][:2] == [0.5, 0.8]
    assert combinations(catalog.load_step("distill.relearn")) == [catalog.load_step("distill.relearn")()]
