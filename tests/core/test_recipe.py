"""A recipe is checked as a whole before anything is touched, and read with every problem at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lighten.core import catalog
from lighten.core.errors import DataError, LightenError, PlanError, UnknownName
from lighten.core.recipe import Recipe, conversion, engine_from, record_of, step_from

pytestmark = pytest.mark.usefixtures("fakes")


def made(*steps: dict[str, Any], engine: dict[str, Any] | None = None, **more: Any) -> Recipe:
    return Recipe("m", tuple(map(step_from, steps)), engine_from(engine) if engine else None, **more)


def problems_of(recipe: Recipe, **known: Any) -> tuple[str, ...]:
    with pytest.raises(PlanError) as caught:
        recipe.plan(**known)
    return caught.value.problems


def test_what_a_run_adds_is_ignored() -> None:
    text = 'model = "m"\n[run]\nminimize = "cpu"\nkeep = ["accuracy>=-1pt"]\n'
    assert Recipe.from_toml(text) == Recipe("m")


@pytest.mark.parametrize(
    "text",
    [
        "model = ",
        "",
        'model = ""',
        "model = 3",
        'model = "m"\nseed = "x"',
        'model = "m"\nseed = true',
        'model = "m"\nseed = 1.5',
        'model = "m"\ntask = 3',
        'model = "m"\nstep = 3',
        'model = "m"\nstep = "prune.shrink"',
        'model = "m"\nstep = ["prune.shrink"]',
        'model = "m"\n[step]\nuse = "prune.shrink"',
        'model = "m"\nengine = "toy"',
        'model = "m"\n[[engine]]\nuse = "toy"',
        'model = "m"\ndata = "x.csv"',
    ],
)
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        Recipe.from_toml(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.toml"):
        Recipe.from_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"bad\.toml"):
        Recipe.from_toml(tmp_path / "bad.toml")


def test_an_unknown_key_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'model'"):
        Recipe.from_toml('modle = "m"')


def test_reading_lists_every_problem_at_once() -> None:
    text = """
model = "m"
task = "text_clasification"
[[step]]
use = "prune.shrnk"
[[step]]
use = "prune.shrink"
keep = 2.0
sets = 3
[[step]]
keep = 1.0
[engine]
use = "toi"
"""
    with pytest.raises(PlanError) as caught:
        Recipe.from_toml(text)
    found = caught.value.problems
    assert len(found) == 6
    for hint in ("text_classification", "prune.shrink", "0.01 to 1.0", "did you mean 'seats'", "toy"):
        assert any(hint in problem for problem in found), hint
    assert not any("\n" in problem for problem in found)


def test_records_name_everything() -> None:
    step = step_from({"use": "prune.shrink", "keep": 0.25})
    assert record_of(step) == {"use": "prune.shrink", "keep": 0.25, "note": "", "even": True, "seats": 4}
    assert step_from(record_of(step)) == step
    with pytest.raises(PlanError, match="bits is 5; allowed: 4, 8"):
        step_from({"use": "quantize.small", "bits": 5})
    with pytest.raises(UnknownName):
        engine_from({})


def test_a_plan_puts_the_conversions_in() -> None:
    chain = made({"use": "prune.shrink"}, {"use": "quantize.small"}, engine={"use": "toy"}).plan(format="hf")
    assert [catalog.name_of(step) for step in chain] == ["prune.shrink", "export.flatten", "quantize.small"]
    assert [catalog.name_of(step) for step in made(engine={"use": "toy"}).plan(format="hf")] == ["export.flatten"]
    assert made(engine={"use": "floaty"}).plan(format="hf") == ()
    assert made(engine={"use": "toy"}).plan(format="flat-small") == ()


def test_a_plan_lists_every_problem() -> None:
    shrink = catalog.load_step("prune.shrink")
    recipe = Recipe(
        "m",
        (shrink(keep=3.0, seats=0), *(step_from({"use": u}) for u in ("quantize.small", "prune.thin"))),  # type: ignore[call-arg]
        catalog.load("engines", "floaty")(),
    )
    found = problems_of(recipe, format="hf", facts={"solid": True}, held=frozenset({"tune"}))
    assert [f for f in found if f.startswith("step 1 (prune.shrink)")] == [
        "step 1 (prune.shrink): keep is 3.0; allowed: 0.01 to 1.0.",
        "step 1 (prune.shrink): seats is 0; allowed: at least 1 seats.",
        "step 1 (prune.shrink): the network is one piece.",
    ]
    assert "step 3 (prune.thin): needs train data, which is not given." in found
    assert "step 3 (prune.thin): takes hf, but the model is flat-small at this point." in found
    assert "engine floaty: takes hf, but the recipe makes flat-small." in found
    assert len(found) == 6


def test_no_conversion_leads_back() -> None:
    assert conversion("hf", ("hf", "flat")) == ()
    assert conversion("flat-small", ("hf",)) is None
    found = conversion("hf", ("flat",))
    assert found is not None
    assert [catalog.name_of(step) for step in found] == ["export.flatten"]


@examples(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        Recipe.from_toml('model = "m"\n' + text)
    except LightenError as error:
        assert str(error)
