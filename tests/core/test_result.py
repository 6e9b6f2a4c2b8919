"""Results and candidates are plain data that survives JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.result import HIGHER, LOWER, Candidate, Result

RESULT = Result("a" * 64, "ort", "cpu", "p50", 3.5, "ms", LOWER, 200, 0.1, ratio=2.0, environment="e")
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


@given(candidates)
def test_a_candidate_survives_json(candidate: Candidate) -> None:
    assert Candidate.from_json(json.loads(json.dumps(candidate.to_json()))) == candidate


@given(results)
def test_a_result_survives_json(result: Result) -> None:
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_value_beside_the_original_follows_the_ratio() -> None:
    original = Candidate(0, "o", (), "eager", results={"p50": replace(RESULT, value=10.0), "size": RESULT})
    results = {
        "p50": replace(RESULT, value=4.0, ratio=2.0),  # the original took 8 beside it, and 10 by itself
        "decode": replace(RESULT, meter="decode", value=30.0, direction=HIGHER, ratio=1.5),
        "size": replace(RESULT, value=3.0, ratio=None),
        "energy": replace(RESULT, value=None),
    }
    own = Candidate(1, "c", (), "ort", results=results)
    assert own.value_beside("p50", original) == 5.0 and own.value_beside("size", original) == 3.0
    assert own.value_beside("energy", original) is None and own.value_beside("memory", original) is None
    first = replace(original, results={"decode": replace(RESULT, value=40.0, direction=HIGHER)})
    assert own.value_beside("decode", first) == 60.0


def test_values_are_looked_up_by_meter() -> None:
    candidate = Candidate(1, "x", (), "ort", results={"p50": RESULT, "energy": replace(RESULT, value=None)})
    assert candidate.value("p50") == 3.5
    assert candidate.value("energy") is None
    assert candidate.value("p99") is None


def test_results_are_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RESULT.value = 1.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Candidate(0, "x", (), "ort").state = "ok"  # type: ignore[misc]


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(TypeError):
        Result.from_json({**RESULT.to_json(), "speed": 1})
