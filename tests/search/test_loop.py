"""What is proposed for a language model: bodies it can have, the order of the first ones, ways of training it back."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from lighten.core import catalog
from lighten.core.space import Space
from lighten.search import proposals
from lighten.search.proposals import Body, choices, from_parameters, name_of, next_body, parameters
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
    first = next_body({}, proposals.bodies(space), FIRST)
    assert first is not None and first.name == "vocabulary(spare=0.05)"
    used = [catalog.name_of(step) for step in first.recipe(space.recovery)]
    assert used == ["prune.vocabulary", "train.full"]


def test_more_words_come_back_before_layers_go(space: Space) -> None:
    tried: dict[str, bool] = {}
    for name in ("vocabulary(spare=0.05)", "vocabulary(spare=0.2)"):
        body = next_body(tried, proposals.bodies(space), FIRST)
        assert body is not None and body.name == name
        tried[name] = False
    tried["vocabulary(spare=0.2)"] = True
    body = next_body(tried, proposals.bodies(space), FIRST)
    assert body is not None and body.name == "vocabulary(spare=0.1)"


def test_a_body_goes_untrained_where_no_pass_fits(space: Space) -> None:
    body = next_body({}, proposals.bodies(space), FIRST)
    assert body is not None and not body.wants_recovery
    used = [catalog.name_of(step) for step in replace(body, epochs=0).recipe(space.recovery)]
    assert used == ["prune.vocabulary"]
    assert any(other.wants_recovery for other in proposals.bodies(space))


def test_learning_from_the_original_is_another_way_back(space: Space) -> None:
    assert {catalog.name_of(step) for step in space.alternatives} == {"distill.logits"}
    body = Body((), proposals.bodies(space)[0].reshaping, space.alternatives[1], epochs=0.3, facts=space.facts)
    recipe = body.recipe(space.recovery)
    assert [catalog.name_of(step) for step in recipe[len(body.reshaping) :]] == ["distill.logits"]
    assert recipe[-1].epochs == 0.2  # type: ignore[attr-defined]  # an epoch takes longer with a teacher
    plain = Body((), body.reshaping, epochs=0.3, facts=space.facts)
    dressing = space.dressings[0]
    assert body.name != plain.name
    names = [name_of((*one.recipe(space.recovery), *dressing.steps), dressing.engine) for one in (body, plain)]
    assert names[0] != names[1] and "temperature" in names[0]
    point = parameters(space, body, dressing)
    known = choices(space, space.dressings)
    assert set(point) == set(known) and all(value in known[name] for name, value in point.items())
    again, dressed = from_parameters(space, space.dressings, point)
    assert (again.name, dressed) == (body.name, dressing)
    assert from_parameters(space, space.dressings, parameters(space, plain, dressing))[0].back is None


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
        named = {step.heads for body in proposals.bodies(here) for step in body.reshaping if hasattr(step, "heads")}
        assert (named == {1.0}) == refused
        assert not any(step.check(here.facts) for body in proposals.bodies(here) for step in body.reshaping)
        offered = choices(here, here.dressings)["prune.width"]
        assert any("heads=0.5" in name for name in offered) != refused
