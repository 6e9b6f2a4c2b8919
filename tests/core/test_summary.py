"""A summary as plain JSON has the keys that scripts rely on, and a winner keeps what was measured of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lighten.core.summary import Winner
from lighten.testing import summaries


def test_the_json_has_the_keys_that_scripts_rely_on() -> None:
    record = json.loads(json.dumps(summaries.winner().to_json()))
    assert {"winner", "verdicts", "frontier", "baseline", "failed", "environment", "paths"} <= set(record)
    won = record["winner"]
    assert {"path", "engine", "recipe", "meters", "ratio"} <= set(won)
    assert {"value", "unit", "spread", "n", "direction"} <= set(won["meters"]["cpu"])
    assert won["ratio"]["cpu"] == pytest.approx(7.1)
    keys = {"metric", "state", "difference", "lower", "upper", "margin", "n", "b", "c"}
    assert keys <= set(record["verdicts"][0])
    assert record["failed"][1] == {
        "key": 17,
        "name": "2 layers + int8 static @ ort",
        "reason": "SessionCrashed: killed by signal 11 (SIGSEGV)",
    }
    assert summaries.nothing_met().to_json()["winner"] is None


def test_winner_of_a_candidate_keeps_ratios_and_notes() -> None:
    candidate = summaries.winner().candidates[6]
    won = Winner.of(candidate, "here")
    assert won.meters["energy"].value is None
    assert won.meters["energy"].note
    assert "energy" not in won.ratio
    assert won.ratio["p50"] == candidate.results["p50"].ratio
    assert won.ratio_spread["p50"] == candidate.results["p50"].ratio_spread and "memory" not in won.ratio_spread
    doubted = {**candidate.results, "p50": replace(candidate.results["p50"], unsure=True)}
    assert won.unsure == () and Winner.of(replace(candidate, results=doubted), "here").unsure == ("p50",)
