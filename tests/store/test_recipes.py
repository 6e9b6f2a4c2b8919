"""A recipe survives TOML, whatever its texts hold, and reads well there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lighten.core.recipe import Recipe, engine_from, step_from
from lighten.store.recipes import to_toml

pytestmark = pytest.mark.usefixtures("fakes")

texts = st.text(max_size=20)
shrinks = st.fixed_dictionaries(
    {"use": st.just("prune.shrink")},
    optional={"keep": st.floats(0.01, 1.0), "note": texts, "even": st.booleans(), "seats": st.integers(1, 2**62)},
)
smalls = st.fixed_dictionaries({"use": st.just("quantize.small")}, optional={"bits": st.sampled_from([4, 8])})
toys = st.fixed_dictionaries({"use": st.just("toy")}, optional={"streams": st.integers(1, 8), "pinned": st.booleans()})


def made(*steps: dict[str, Any], engine: dict[str, Any] | None = None, **more: Any) -> Recipe:
    return Recipe("m", tuple(map(step_from, steps)), engine_from(engine) if engine else None, **more)


@examples(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    model=texts.filter(bool),
    steps=st.lists(shrinks | smalls, max_size=3),
    engine=st.none() | toys,
    seed=st.integers(0, 2**62),
    data=st.dictionaries(texts, texts, max_size=3),
)
def test_a_recipe_survives_toml(
    model: str, steps: list[dict[str, Any]], engine: dict[str, Any] | None, seed: int, data: dict[str, str]
) -> None:
    recipe = Recipe(model, tuple(map(step_from, steps)), engine_from(engine) if engine else None, seed=seed, data=data)
    assert Recipe.from_toml(to_toml(recipe)) == recipe


@pytest.mark.parametrize("text", ["plain", 'qu"ote', "back\\slash", "new\nline", "\x7f", "\x00", "😀", "\u2028", "é"])
def test_any_text_is_toml(text: str, tmp_path: Path) -> None:
    recipe = Recipe("m", data={text or "x": text})
    assert tomllib.loads(to_toml(recipe))["data"] == {text or "x": text}
    (tmp_path / "run.toml").write_text(to_toml(Recipe(text or "m")), encoding="utf-8")
    assert Recipe.from_toml(tmp_path / "run.toml").model == text


def test_a_written_recipe_reads_well() -> None:
    data = {"source": "reviews.csv"}
    recipe = made({"use": "prune.shrink", "keep": 0.25}, engine={"use": "toy"}, task="text_classification", data=data)
    assert to_toml(recipe) == (
        'model = "m"\ntask = "text_classification"\nseed = 0\n\n[data]\nsource = "reviews.csv"\n\n'
        '[[step]]\nuse = "prune.shrink"\nkeep = 0.25\nnote = ""\neven = true\nseats = 4\n\n'
        '[engine]\nuse = "toy"\nstreams = 1\npinned = false\n'
    )


def test_what_a_run_adds_stands_below_and_is_not_read() -> None:
    recipe = Recipe("m", data={"labels": ("a", "b")})
    text = to_toml(recipe, {"minimize": "cpu", "keep": ["accuracy>=-1pt"]}, ("lighten optimize m", "lighten 1"))
    assert text.startswith('# lighten optimize m\n# lighten 1\nmodel = "m"\n')
    assert tomllib.loads(text)["run"] == {"minimize": "cpu", "keep": ["accuracy>=-1pt"]}
    assert Recipe.from_toml(text) == recipe
