"""An error is a small help page: what was seen, what is allowed, what to do."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core import errors
from lighten.core.errors import (
    CandidateFailed,
    InputError,
    Interrupted,
    LightenError,
    MissingExtra,
    NothingMet,
    PlanError,
    UnknownName,
    nearest,
)

EVERY = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, LightenError)]


def test_the_message_has_three_parts() -> None:
    error = LightenError("Seen.", allowed="this", fix="do that")
    assert str(error).split("\n") == ["Seen.", "  allowed: this", "  to do:   do that"]
    assert str(LightenError("Seen.")) == "Seen."


def test_exit_codes_are_what_scripts_rely_on() -> None:
    for cls in EVERY:
        expected = 2 if issubclass(cls, InputError) else 1
        assert cls.exit_code == {NothingMet: 3, Interrupted: 130}.get(cls, expected), cls


def test_every_error_is_drawn_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert all(cls.__name__ in drawn for cls in EVERY)
    for line in drawn.splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if line.lstrip().startswith(("│", "├", "└")):
            assert issubclass(getattr(errors, name), LightenError)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("int8_statc", "quantize.int8_static"),
        ("int8", "quantize.int8_static"),
        ("INT8_STATIC", "quantize.int8_static"),
        ("prune.layer", "prune.layers"),
    ],
)
def test_unknown_names_offer_the_nearest(given_: str, expected: str) -> None:
    known = ["prune.layers", "prune.width", "quantize.int8_static"]
    error = UnknownName("step", given_, known)
    assert f"did you mean '{expected}'" in error.fix
    assert error.allowed == "prune.layers, prune.width, quantize.int8_static"
    assert repr(given_) in str(error)


def test_nothing_is_offered_when_nothing_is_close() -> None:
    assert UnknownName("engine", "zzz", ["ort", "ov"]).fix == ""
    assert UnknownName("engine", "zzz", []).allowed == "(none)"
    assert UnknownName("unit", "", ["ms"], fix="write ms").fix == "write ms"


@given(st.text(), st.lists(st.text(), max_size=8))
def test_nearest_offers_known_names_only(name: str, known: list[str]) -> None:
    found = nearest(name, known)
    assert len(found) <= 2
    assert len(set(found)) == len(found) or len(set(known)) < len(known)
    assert set(found) <= set(known)


def test_a_plan_lists_every_problem() -> None:
    text = str(PlanError(["first.", "second."], fix="change them"))
    assert "2 problems" in text
    assert "1. first." in text
    assert "2. second." in text
    assert "1 problem:" in str(PlanError(["only."]))


def test_a_missing_extra_names_the_command() -> None:
    error = MissingExtra("The engine ov", "ov", "No module named 'openvino'")
    assert error.fix == "pip install 'lighten[ov]'"
    assert "openvino" in str(error)


def test_a_failed_candidate_knows_its_kind() -> None:
    assert {cls(seen="x").kind for cls in EVERY if issubclass(cls, CandidateFailed)} == {
        cls.__name__ for cls in EVERY if issubclass(cls, CandidateFailed)
    }
