"""What a verb prints with --json fits its published schema, and docs/schema holds the schemas as they are."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import UnknownName
from lighten.core.prediction import Prediction
from lighten.core.result import LOWER, Result
from lighten.core.summary import Flip, Group, Summary
from lighten.measure.doctor import Checkup
from lighten.measure.environment import MachineRecord
from lighten.measure.libraries import BrokenLibrary
from lighten.measure.probe import EngineHealth
from lighten.proof import judge_counts
from lighten.store.decode import decode
from lighten.testing import language_summaries, summaries
from lighten.verbs.bench import Bench
from lighten.verbs.catalog import catalog, settings
from lighten.verbs.clean import Cleaned
from lighten.verbs.compare import Comparison
from lighten.verbs.engine import EnvironmentState
from lighten.verbs.schema import OUTPUTS, kind_of, schema

DOCS = Path(__file__).parents[2] / "docs" / "schema"
RESULT = Result("a" * 64, "ort", "cpu", "p50", 3.5, "ms", LOWER, 200, 0.1, ratio=2.0)


def fits(output: str, value: Any) -> None:
    """``value`` is of the type whose schema is published."""
    problems: list[str] = []
    decode(json.loads(json.dumps(value)), kind_of(output), output, problems)
    assert not problems


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_published_schema_is_that_of_the_types(output: str) -> None:
    text_of = runpy.run_path(str(DOCS / "make.py"))["text_of"]
    published = (DOCS / f"{output}.json").read_text(encoding="utf-8")
    assert published == text_of(output), "run: python docs/schema/make.py"


def test_no_schema_is_left_of_an_output_that_is_gone() -> None:
    assert {path.stem for path in DOCS.glob("*.json")} == set(OUTPUTS)


@pytest.mark.parametrize(
    "run",
    [
        summaries.winner(),
        summaries.missed(),
        summaries.asked_for(),
        summaries.hostile(),
        summaries.interrupted(),
        language_summaries.documents(),
        language_summaries.answers(),
    ],
)
def test_a_search(run: Summary) -> None:
    fits("optimize", run.to_json())


def test_a_comparison_and_a_bench() -> None:
    verdict = judge_counts(180, 6, 4, 200, 0.05)
    quality = {"accuracy": Result("a" * 64, "ort", "cpu", "accuracy", 0.9, "fraction", "higher", 200)}
    flip, group = Flip("text", "a", "a", "b", "", "broke"), Group("g", 10, 0.9, 0.8)
    found = Comparison("a", "b", verdict, 200, quality, quality, (flip,), (group,), ("a note",))
    fits("compare", found.to_json())
    fits("bench", Bench({"a": [RESULT], "b": []}, {"b": "SessionCrashed"}, {"cpu": "x", "cores": 2}).to_json())


def test_predictions() -> None:
    for one in (
        Prediction("a", {"a": 0.75, "b": 0.25}),
        Prediction("an answer"),
        Prediction(measures={"bits_per_byte": 1.25}),
    ):
        fits("predict", one.to_json())


def test_what_is_on_this_machine() -> None:
    here = MachineRecord.here(rates=False)
    health = (EngineHealth("ort", True, "onnxruntime 1", True), EngineHealth("ov", False, reason="no", fix="yes"))
    broken = (BrokenLibrary("onnx", "1", "no", "yes"),)
    fits("doctor", Checkup(here, health, {"ov": ("openvino",)}, ("a hint",), broken).to_json())
    fits("engines", [EnvironmentState("ov_genai", "made", ("a==1",), {"a": "1"}, 5, 1.5, (Path("/x"),)).to_json()])
    fits("clean", Cleaned("run", ("a",), ("b",), 12, False).to_json())


def test_the_catalogue() -> None:
    fits("catalog", [entry.to_json() for entry in catalog()])
    for entry in catalog("steps"):
        fits("settings", settings(entry.name))


def test_what_does_not_fit_is_seen_and_other_names_are_refused() -> None:
    problems: list[str] = []
    decode({**summaries.winner().to_json(), "version": "1"}, kind_of("optimize"), "", problems)
    assert problems == ["version is '1'; allowed: a whole number"]
    with pytest.raises(UnknownName, match="optimise"):
        schema("optimise")
