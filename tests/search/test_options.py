"""Options are read as people write them, and the command that is printed asks the same."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from lighten.cli import app
from lighten.core.errors import BudgetError, InputError
from lighten.search.options import Options, asked_of, margin_of, recorded, seconds_of

OPTIONS = Options("sample:minilm", "my reviews.csv", Path("runs/it's new"))


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
    return Options(
        given_["model"],
        given_["data"],
        Path(given_["out"]),
        tuple(given_["keep"] or ()),
        tuple(given_["under"] or ()),
        given_["minimize"],
        "text_classification",
        *(given_[name] for name in ("text", "label", "group", "unit", "drop_empty")),
        split_column=given_["split_column"],
        seconds=seconds_of(given_["time"]),
        candidates=given_["candidates"],
        engines=tuple(given_["engines"] or ()),
        threads=given_["threads"],
        seed=given_["seed"],
        resume=given_["resume"],
    )


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        replace(OPTIONS, keep=("accuracy>=-1pt", "worst_group>=0.8"), under=("p95<=5ms", "size<=50%")),
        replace(OPTIONS, minimize="p95", text="the text", label="l", group="g", unit="user id", drop_empty=True),
        replace(OPTIONS, split_column="none"),
        replace(OPTIONS, seconds=90.5, candidates=7, engines=("ort", "ov"), threads=3, seed=42),
    ],
)
def test_the_printed_command_asks_the_same(options: Options) -> None:
    assert asked_by(options.command()) == options
    assert asked_by(f"{options.command()} --resume") == replace(options, resume=True)


@given(st.floats(0.001, 30_000_000).map(lambda s: round(s, 3)))
def test_the_printed_time_is_the_same(seconds: float) -> None:
    words = shlex.split(replace(OPTIONS, seconds=seconds).command())
    assert seconds_of(words[words.index("--time") + 1]) == pytest.approx(seconds, abs=1e-9)


def test_a_recipe_remembers_that_no_unit_was_wanted() -> None:
    asked = replace(OPTIONS, unit="none", group="none")
    record = recorded(asked, {"text": "review", "label": "stars"})
    assert asked_of(record) == {"text": "review", "label": "stars", "group": "none", "unit": "none"}
