"""What is proposed for a language model: its architectures, the order of the first ones, ways of training it back."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.space import Space
from lighten.search import proposals
from lighten.search.loop import Search
from lighten.search.proposals import Architecture, choices, from_parameters, name_of, next_architecture, parameters
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require

GEMMA: dict[str, Any] = {
    "family": "gemma3", "layers": 18, "heads": 4, "head_size": 256, "hidden": 640, "intermediate": 2048, "tied": True,
    "vocabulary": 262_144, "parameters": 268_098_176, "labels": (), "has_head": True, "language": True,
    "format": "gguf", "tokenizer": "llama",
}  # fmt: skip

FIRST = TextGeneration().priors.first


@pytest.fixture(scope="module")
def space() -> Space:
    require(find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")
    return Space.compose("gguf", (catalog.load("engines", "llama")(),), GEMMA)


def test_the_vocabulary_goes_first_and_training_goes_on_with_the_text(space: Space) -> None:
    first = next_architecture({}, proposals.architectures(space), FIRST)
    assert first is not None and first.name == "vocabulary(spare=0.05)"
    used = [catalog.name_of(step) for step in first.recipe(space.recovery)]
    assert used == ["prune.vocabulary", "train.full"]


def test_more_words_come_back_before_layers_go(space: Space) -> None:
    tried: dict[str, bool] = {}
    for name in ("vocabulary(spare=0.05)", "vocabulary(spare=0.2)"):
        architecture = next_architecture(tried, proposals.architectures(space), FIRST)
        assert architecture is not None and architecture.name == name
        tried[name] = False
    tried["vocabulary(spare=0.2)"] = True
    architecture = next_architecture(tried, proposals.architectures(space), FIRST)
    assert architecture is not None and architecture.name == "vocabulary(spare=0.1)"


def test_an_architecture_goes_untrained_where_no_pass_fits(space: Space) -> None:
    architecture = next_architecture({}, proposals.architectures(space), FIRST)
    assert architecture is not None and not architecture.wants_recovery
    used = [catalog.name_of(step) for step in replace(architecture, epochs=0).recipe(space.recovery)]
    assert used == ["prune.vocabulary"]
    assert any(other.wants_recovery for other in proposals.architectures(space))


def test_learning_from_the_original_is_another_way_back(space: Space) -> None:
    assert {catalog.name_of(step) for step in space.alternatives} == {"distill.logits"}
    architecture = Architecture(
        (), proposals.architectures(space)[0].reshaping, space.alternatives[1], epochs=0.3, facts=space.facts
    )
    recipe = architecture.recipe(space.recovery)
    assert [catalog.name_of(step) for step in recipe[len(architecture.reshaping) :]] == ["distill.logits"]
    assert recipe[-1].epochs == 0.2  # type: ignore[attr-defined]  # an epoch takes longer with a teacher
    plain = Architecture((), architecture.reshaping, epochs=0.3, facts=space.facts)
    variant = space.variants[0]
    assert architecture.name != plain.name
    names = [name_of((*one.recipe(space.recovery), *variant.steps), variant.engine) for one in (architecture, plain)]
    assert names[0] != names[1] and "temperature" in names[0]
    point = parameters(space, architecture, variant)
    known = choices(space, space.variants)
    assert set(point) == set(known) and all(value in known[name] for name, value in point.items())
    again, same = from_parameters(space, space.variants, point)
    assert (again.name, same) == (architecture.name, variant)
    assert from_parameters(space, space.variants, parameters(space, plain, variant))[0].back is None


def test_a_classifier_has_one_way_back_and_no_more(space: Space) -> None:
    facts = {"family": "bert", "layers": 6, "heads": 4, "hidden": 64, "intermediate": 96, "vocabulary": 100}
    encoder = Space.compose("hf", (catalog.load("engines", "eager")(),), facts)
    assert [catalog.name_of(step) for step in encoder.recovery] == ["distill.states"]
    assert encoder.alternatives == ()
    albert = Space.compose("hf", (catalog.load("engines", "eager")(),), {**facts, "family": "albert"})
    assert [catalog.name_of(step) for step in albert.recovery] == ["distill.logits"]


def test_what_a_family_refuses_is_not_proposed(space: Space) -> None:
    qwen = Space.compose("gguf", (catalog.load("engines", "llama")(),), {**GEMMA, "family": "qwen2"})
    for here, refused in ((space, False), (qwen, True)):
        named = {
            step.heads for one in proposals.architectures(here) for step in one.reshaping if hasattr(step, "heads")
        }
        assert (named == {1.0}) == refused
        assert not any(step.check(here.facts) for one in proposals.architectures(here) for step in one.reshaping)
        offered = choices(here, here.variants)["prune.width"]
        assert any("heads=0.5" in name for name in offered) != refused


@pytest.mark.parametrize(
    ("roles", "left", "told"),
    [
        (("original", "stock"), 200.0, True),
        (("original", "stock"), 320.0, True),  # and none was begun that would have taken from the proof
        (("original", "stock"), 400.0, False),
        (("original", "stock", "search"), 200.0, False),
        (("original",), 200.0, False),  # said by the conclusion
    ],
)
def test_a_search_without_time_for_anything_of_its_own_says_so(roles: tuple[str, ...], left: float, told: bool) -> None:
    search, said = Search.__new__(Search), list[str]()
    search.run = SimpleNamespace(  # type: ignore[assignment]
        clock=SimpleNamespace(seconds=1200.0, spent=1200.0 - left, left=left),
        notes=[],
        listener=SimpleNamespace(note=said.append),
    )
    search.attempts = SimpleNamespace(  # type: ignore[assignment]
        reserve=300.0, kept=lambda: 330.0, planning=SimpleNamespace(variant=lambda: 60.0)
    )
    search.board = SimpleNamespace(  # type: ignore[assignment]
        done={key: SimpleNamespace(role=role) for key, role in enumerate(roles)}
    )
    search._tell_untried()
    assert said == search.run.notes
    assert bool(said) is told
    if told:
        assert f"{left / 60:.1f} min were left" in said[0] and f"--time {26 if left < 300 else 24}m" in said[0]
