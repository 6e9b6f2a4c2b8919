"""Options are read as people write them, and the command that is printed asks the same."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from lighten.cli import app
from lighten.cli.options import one_or_many
from lighten.core.errors import BudgetError, InputError
from lighten.core.lists import read_list
from lighten.core.recipe import Recipe
from lighten.search.options import ROLES, Options, asked_of, margin_of, recorded, seconds_of
from lighten.store.recipes import to_toml

OPTIONS = Options("sample:minilm", "my reviews.csv", Path("runs/it's new"), task="text_classification")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15m", 900), ("90s", 90), ("1.5h", 5400), ("2", 120), (" 3 min ", 180), ("30 sec", 30), ("0.5m", 30)],
)
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "15 minutes ago", "m", "1d", "1e3s", "nan", "inf", "9" * 400])
def test_times_that_cannot_be_read_show_an_example(text: str) -> None:
    with pytest.raises(InputError, match="--time") as caught:
        seconds_of(text)
    assert caught.value.fix == "--time 15m"


@pytest.mark.parametrize(("text", "margin"), [("1pt", 0.01), ("1%", 0.01), ("0.01", 0.01), (".5 pt", 0.005)])
def test_margins(text: str, margin: float) -> None:
    assert margin_of(text) == pytest.approx(margin)


@pytest.mark.parametrize("text", ["", "1", "0", "0pt", "100pt", "-1pt", "1 point", "nan", "1ms"])
def test_margins_that_cannot_be_read_show_an_example(text: str) -> None:
    with pytest.raises(BudgetError, match="--margin") as caught:
        margin_of(text)
    assert caught.value.fix == "--margin 1pt"


def asked_by(command: str) -> Options:
    """What the command line makes of a printed command."""
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("lighten", "optimize")
    given_ = get_command(app).commands["optimize"].make_context("optimize", words).params  # type: ignore[attr-defined]
    lists = {name: read_list(one_or_many(given_[name])) for name in ("choices", "labels", "engines")}
    plain = (
        "text",
        "label",
        "group",
        "unit",
        "split_column",
        "drop_empty",
        "merge_labels",
        "drop_rare",
        "candidates",
        "threads",
        "seed",
        "resume",
        "shots",
    )
    return Options(
        given_["model"],
        given_["data"],
        Path(given_["out"]),
        tuple(given_["keep"] or ()),
        tuple(given_["under"] or ()),
        given_["minimize"],
        task=given_["task"].replace("-", "_"),
        seconds=seconds_of(given_["time"]),
        **{name: given_[name] for name in (*plain, "prompt", "answer")},
        **lists,
    )


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        replace(OPTIONS, keep=("accuracy>=-1pt", "worst_group>=0.8"), under=("p95<=5ms", "size<=50%")),
        replace(OPTIONS, minimize="p95", text="the text", label="l", group="g", unit="user id", drop_empty=True),
        replace(OPTIONS, split_column="none", merge_labels=True, drop_rare=5),
        replace(OPTIONS, merge_labels=False),
        replace(OPTIONS, seconds=90.5, candidates=7, engines=("ort", "ov"), threads=3, seed=42),
    ],
)
def test_the_printed_command_asks_the_same(options: Options) -> None:
    assert asked_by(options.command()) == options
    assert asked_by(f"{options.command()} --resume") == replace(options, resume=True)


TEXTS = st.text(min_size=1).filter(lambda text: "\0" not in text)
LISTS = st.lists(TEXTS, max_size=4).map(tuple)
ASKED = st.fixed_dictionaries(
    {
        **{name: st.none() | TEXTS for name in ("text", "label", "group", "unit", "prompt", "answer")},
        **dict.fromkeys(("choices", "labels", "keep", "under"), LISTS),
        "data": TEXTS,
        "shots": st.integers(0, 9),
        "task": st.sampled_from(["text_classification", "text_generation"]),
        "engines": st.lists(st.sampled_from(["ort", "ov", "ov_genai"]), max_size=3).map(tuple),
    }
)


@given(ASKED)
def test_the_printed_command_asks_the_same_whatever_texts_hold(asked: dict[str, Any]) -> None:
    options = replace(OPTIONS, **asked)
    assert asked_by(options.command()) == options


@given(ASKED)
def test_what_a_recipe_records_asks_the_same_whatever_texts_hold(asked: dict[str, Any]) -> None:
    options = replace(OPTIONS, **asked)
    columns = {name: asked[name] for name in ("text", "label", "group", "unit") if asked[name] is not None}
    recipe = Recipe("m", data=recorded(options, columns))
    read = asked_of(Recipe.from_toml(to_toml(recipe)).data)
    shown = () if options.prompt is None else ("text",)  # the prompt says which columns are shown
    expected = {**dict.fromkeys(ROLES), **dict.fromkeys(("choices", "labels"), ()), "shots": 0} | read
    assert {name: expected[name] for name in expected if name not in shown} == {
        name: getattr(options, name) for name in expected if name not in shown
    }


def test_recipes_of_older_versions_have_choices_in_one_text() -> None:
    assert asked_of({"choices": "good,bad", "shots": "2"}) == {"choices": ("good", "bad"), "shots": 2}
    assert asked_of({"choices": ("good, on the whole", "bad")}) == {"choices": ("good, on the whole", "bad")}


@given(st.floats(0.001, 30_000_000).map(lambda s: round(s, 3)))
def test_the_printed_time_is_the_same(seconds: float) -> None:
    words = shlex.split(replace(OPTIONS, seconds=seconds).command())
    assert seconds_of(words[words.index("--time") + 1]) == pytest.approx(seconds, abs=1e-9)


def test_a_recipe_remembers_that_no_unit_was_wanted() -> None:
    asked = replace(OPTIONS, unit="none", group="none")
    record = recorded(asked, {"text": "review", "label": "stars"})
    assert asked_of(record) == {"text": "review", "label": "stars", "group": "none", "unit": "none"}


@pytest.mark.parametrize("merge", [None, True, False])
def test_a_recipe_keeps_what_was_left_out_and_merged(merge: bool | None) -> None:
    options = replace(OPTIONS, split_column="none", merge_labels=merge, drop_rare=5, drop_empty=True)
    asked = {name: getattr(options, name) for name in ("split_column", "merge_labels", "drop_rare", "drop_empty")}
    kept = asked_of(recorded(options, {"text": "review"}))
    assert kept == {name: value for name, value in asked.items() if value is not None} | {"text": "review"}
    assert not set(asked_of(recorded(OPTIONS, {}))) & set(asked)


def test_a_limit_in_tokens_is_asked_again_by_command_and_recipe() -> None:
    asked = replace(OPTIONS, longest=256)
    words = shlex.split(asked.command())
    assert words[words.index("--longest") + 1] == "256"
    assert asked_of(recorded(asked, {"text": "review"}))["longest"] == 256
    assert "--longest" not in OPTIONS.command() and "longest" not in recorded(OPTIONS, {})
    with pytest.raises(InputError, match="longest = 'many'"):
        asked_of({"longest": "many"})
