"""Results and candidates: values by name, beside the original's, and nothing changes them."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from lighten.core.result import HIGHER, LOWER, Candidate, Result

RESULT = Result("a" * 64, "ort", "cpu", "p50", 3.5, "ms", LOWER, 200, 0.1, ratio=2.0, environment="e")


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
