"""Plain JSON comes back as the same dataclasses, or says everything that is wrong; its schema is what is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.budget import Budget, Constraint
from lighten.core.result import HIGHER, LOWER, Candidate, Result
from lighten.store.decode import decode, json_schema

words = st.text(max_size=20)
plain = st.one_of(st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), words)
results = st.builds(
    Result,
    artifact=words,
    engine=words,
    device=words,
    meter=words,
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    unit=words,
    direction=st.sampled_from([LOWER, HIGHER]),
    n=st.integers(0, 10**9),
    spread=st.none() | st.floats(0, 1e9),
    ratio=st.none() | st.floats(0.001, 1e6),
    note=words,
)
candidates = st.builds(
    Candidate,
    key=st.integers(0, 1000),
    name=words,
    recipe=st.lists(st.dictionaries(words, plain, max_size=3), max_size=3).map(tuple),
    engine=words,
    engine_settings=st.dictionaries(words, plain, max_size=3),
    state=st.sampled_from(["ok", "failed", "stopped", "running"]),
    reason=words,
    results=st.dictionaries(words, results, max_size=3),
    seconds=st.floats(0, 1e6),
)


def read(value: Any, kind: type[Any]) -> Any:
    problems: list[str] = []
    made = decode(value, kind, "", problems)
    assert not problems
    return made


@given(candidates)
def test_a_candidate_survives_json(candidate: Candidate) -> None:
    assert read(json.loads(json.dumps(candidate.to_json())), Candidate) == candidate


@given(results)
def test_a_result_survives_json(result: Result) -> None:
    assert read(json.loads(json.dumps(result.to_json())), Result) == result


def test_a_budget_survives_json() -> None:
    budget = Budget((Constraint("accuracy", 0.01, "points", "accuracy>=-1pt"),), (), "cpu")
    assert read(json.loads(json.dumps(asdict(budget))), Budget) == budget


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    state: Literal["ripe", "green"] = "green"


@dataclass(frozen=True, slots=True)
class Tree:
    height: float
    rings: int
    leaves: tuple[Leaf, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    felled: bool = False
    note: str | None = None


def test_every_problem_is_said_with_its_path() -> None:
    problems = ["before"]
    value = {
        "height": float("nan"),
        "rings": 3.0,
        "leaves": [{"name": "a"}, {"state": "red"}, {"name": 1, "size": 2}, "leaf"],
        "shares": {"oak": "half", "elm": True},
        "felled": "yes",
        "note": 7,
        "colour": "blue",
    }
    assert decode(value, Tree, "tree", problems) is None
    assert problems[0] == "before" and sorted(problems[1:]) == sorted(
        [
            "tree.height is nan; allowed: a finite number",
            "tree.rings is 3.0; allowed: a whole number",
            "tree.leaves[1].name is missing",
            "tree.leaves[1].state is 'red'; allowed: 'ripe' or 'green'",
            "tree.leaves[2].name is 1; allowed: a text",
            "tree.leaves[2].size is unknown",
            "tree.leaves[3] is 'leaf'; allowed: an object",
            "tree.shares.oak is 'half'; allowed: a finite number",
            "tree.shares.elm is True; allowed: a finite number",
            "tree.felled is 'yes'; allowed: true or false",
            "tree.note is 7; allowed: a text",
            "tree.colour is unknown",
        ]
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, " is None; allowed: an object"),
        ({"height": 1, "rings": True}, "rings is True; allowed: a whole number"),
        ({"height": 1, "rings": 1, "leaves": {}}, "leaves is {}; allowed: a list"),
        ({"height": 1, "rings": 1, "shares": []}, "shares is []; allowed: an object"),
    ],
)
def test_nothing_is_turned_into_what_it_is_not(value: Any, problem: str) -> None:
    problems: list[str] = []
    assert decode(value, Tree, "", problems) is None
    assert problems == [problem]


def test_a_whole_number_is_a_number_and_half_a_surrogate_a_text() -> None:
    made = read({"height": 2, "rings": 1, "note": "\ud800"}, Tree)
    assert made == Tree(2.0, 1, note="\ud800")


def test_the_schema_names_every_key_and_allows_no_other() -> None:
    schema = json_schema(Tree)
    assert schema["$schema"].startswith("https://json-schema.org/draft/2020-12/")
    assert schema["required"] == ["height", "rings", "leaves", "shares", "felled", "note"]
    assert schema["additionalProperties"] is False and schema["properties"]["rings"]["type"] == "integer"
    assert schema["properties"]["leaves"]["items"] == {"$ref": "#/$defs/Leaf"}
    assert schema["$defs"]["Leaf"]["properties"]["state"]["enum"] == ["ripe", "green"]
    assert schema["$defs"]["Leaf"]["additionalProperties"] is False


def test_a_schema_of_several_kinds_and_of_lists() -> None:
    assert [one["$ref"] for one in json_schema(Leaf | Tree)["anyOf"]] == ["#/$defs/Leaf", "#/$defs/Tree"]
    several = json_schema(tuple[Leaf, ...])
    assert several["type"] == "array" and several["items"] == {"$ref": "#/$defs/Leaf"}
