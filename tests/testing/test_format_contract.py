"""The contract of formats passes what keeps it and names what breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.formats.hf import Hf
from lighten.testing.format_contract import check_facts, check_round_trip
from lighten.testing.tiny_artifacts import tiny_artifact


def test_it_names_facts_that_differ_or_lack() -> None:
    whole = {"format": "hf", "family": "bert", "parameters": 7, "labels": ("a", "b"), "has_head": True}
    check_facts(Hf(), whole, whole)
    with pytest.raises(AssertionError, match="facts differ in parameters"):
        check_facts(Hf(), whole, {**whole, "parameters": 8})
    short = {name: value for name, value in whole.items() if name != "family"}
    with pytest.raises(AssertionError, match="facts lack family"):
        check_facts(Hf(), short, short)


def test_it_refuses_a_model_of_another_format(tmp_path: Path) -> None:
    made = tiny_artifact("hf")
    with pytest.raises(AssertionError, match="expected hf"):
        check_round_trip(Hf(), Artifact(made.path, made.id, "onnx", made.files), tmp_path / "again")
