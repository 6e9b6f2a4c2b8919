"""Language models with compressed weights: smaller, near, made in the environment that the step declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import PlanError
from lighten.core.language import Span
from lighten.core.recipe import Recipe
from lighten.core.rows import Parts, Rows
from lighten.core.space import Space
from lighten.engines.llama import Llama
from lighten.engines.ov_genai import OvGenai
from lighten.isolate.environments import find, spec_of
from lighten.pipeline.workshop import Workshop
from lighten.quantize.openvino_language import OpenvinoLanguage
from lighten.store.folder import save_parts
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny_language import tiny_language, tiny_texts


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    require(find(OpenvinoLanguage.environment), "the environment of ov_genai (lighten engine add ov-genai)")
    folder = tmp_path_factory.mktemp("workshop")
    rows = Rows(("a",), (0,))
    save_parts(Parts(rows, rows, rows, rows, ()), folder / "parts.json")
    made = Workshop(folder / "store", folder / "parts.json", TextGeneration(), seed=0, threads=1)
    yield made
    made.close()


def test_int8_and_int4_are_smaller_and_near(workshop: Workshop, tmp_path: Path) -> None:
    model = Artifact.seal(tiny_language("llama", tmp_path / "hf"), format="hf-causal", meta={"labels": []})
    sizes: list[int] = []
    answers: list[np.ndarray] = []
    for weights in ("fp16", "int8", "int4"):
        made = workshop.make(model, [OpenvinoLanguage(weights=weights, group=32)])
        assert (made.format, made.parent) == ("openvino-causal", model.id)
        built = workshop.build(made, OvGenai())
        sizes.append((built.path / "openvino_model.bin").stat().st_size)
        with OvGenai(cache="f32", group=0).open(built, threads=1) as session:
            ids = tuple(session.encode(" ".join(tiny_texts(4, 3))))
            answers.append(session.score([Span(ids[:1], ids[1:])])[0].logprobs)
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * sizes[2]
    apart = [float(np.abs(found - answers[0]).mean()) for found in answers[1:]]
    assert apart[0] < 0.05 and apart[0] < apart[1] < 0.5


def test_it_shares_the_environment_of_the_engine() -> None:
    assert spec_of(OpenvinoLanguage()) == spec_of(OvGenai())
    assert spec_of(OpenvinoLanguage()).name == "ov_genai"


def test_the_search_tries_it_where_the_engine_works_and_nowhere_else() -> None:
    facts = {"language": True, "format": "gguf", "layers": 2}

    def weights(*engines: OvGenai | Llama) -> set[str]:
        variants = Space.compose("gguf", engines, facts).variants
        return {step.weights for d in variants for step in d.steps if isinstance(step, OpenvinoLanguage)}

    assert weights(OvGenai(), Llama()) == {"int8", "int4"}
    assert weights(Llama()) == set()


def test_a_recipe_is_planned_without_the_environment() -> None:
    plan = Recipe("m", (OpenvinoLanguage(),), OvGenai(), task="text_generation").plan(format="gguf")
    assert [type(step).__name__ for step in plan] == ["Dequantize", "OpenvinoLanguage"]
    with pytest.raises(PlanError, match="weights is 'int3'"):
        Recipe("m", (OpenvinoLanguage(weights="int3"),)).plan(format="hf-causal")
