"""A step's settings document themselves and say what they allow."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import pytest

from lighten.core.rows import Rows
from lighten.core.step import Needs, Setting, Silent, Step, after, setting, settings_of, values_of


@dataclass(frozen=True)
class Shrink(Step):
    """A step of four settings."""

    consumes = ("hf",)

    keep: float = setting(0.5, "Share that stays.", unit="fraction", low=0.01, high=1.0, search=(0.5, 0.25))
    rows: int = setting(8, "Rows.", unit="rows", low=1)
    choice: str = setting("even", "Which.", choices=("even", "first"))
    fast: bool = setting(True, "Hurry.")

    def run(self, model: Any, needs: Needs) -> Any:
        return model


@dataclass(frozen=True)
class Export(Shrink):
    """One that changes the format."""

    produces = "onnx"


BY_NAME = {s.name: s for s in settings_of(Shrink)}


def test_settings_come_from_the_fields_in_order() -> None:
    assert [s.name for s in settings_of(Shrink)] == ["keep", "rows", "choice", "fast"]
    assert BY_NAME["keep"] == Setting("keep", float, 0.5, "Share that stays.", "fraction", 0.01, 1.0, (), (0.5, 0.25))
    assert values_of(Shrink(rows=3)) == {"keep": 0.5, "rows": 3, "choice": "even", "fast": True}


@pytest.mark.parametrize(
    ("name", "value"), [("keep", 0.01), ("keep", 1), ("rows", 10**400), ("choice", "first"), ("fast", False)]
)
def test_what_is_allowed(name: str, value: Any) -> None:
    assert BY_NAME[name].problem(value) == ""


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("keep", 0.0, "0.01 to 1.0 fraction"),
        ("keep", 1.1, "0.01 to 1.0 fraction"),
        ("keep", "0.5", "allowed: float"),
        ("keep", math.nan, "a finite number"),
        ("keep", math.inf, "a finite number"),
        ("keep", True, "allowed: float"),
        ("keep", None, "allowed: float"),
        ("rows", 0, "at least 1 rows"),
        ("rows", 1.5, "allowed: int"),
        ("rows", True, "allowed: int"),
        ("choice", "last", "'even', 'first'"),
        ("fast", 1, "allowed: bool"),
    ],
)
def test_what_is_refused_says_what_is_allowed(name: str, value: Any, says: str) -> None:
    problem = BY_NAME[name].problem(value)
    assert says in problem
    assert problem.startswith(f"{name} is {value!r}")


def test_a_step_is_immutable_and_only_stores() -> None:
    wrong = Shrink(keep=7.0)
    assert wrong.keep == 7.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        wrong.keep = 0.5  # type: ignore[misc]
    assert Shrink(keep=0.5) == Shrink()
    assert hash(Shrink()) == hash(Shrink())


def test_the_format_stays_unless_the_step_makes_another() -> None:
    assert after(Shrink(), "hf") == "hf"
    assert after(Export(), "hf") == "onnx"


def test_needs_that_were_not_declared_are_absent() -> None:
    needs = Needs(task=None)  # type: ignore[arg-type]
    assert (needs.train, needs.tune, needs.teacher) == (None, None, None)
    assert isinstance(needs.watch, Silent)
    assert needs.watch.seconds_left() == math.inf
    assert Needs(task=None, train=Rows((), ())).train == Rows((), ())  # type: ignore[arg-type]
