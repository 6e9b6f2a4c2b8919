"""Who takes a format: whoever names it, or names what it is like; and what can be made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.errors import ModelError, PlanError
from lighten.core.matching import (
    fits,
    format_named,
    lineage,
    opens_baselines_only,
    reachable,
    runs_baselines,
    training_of_heads,
    unpacked_formats,
)
from lighten.testing.plugin import installed, plugin_package

CLAY = '''"""Models of clay, for a test."""
from lighten.core.format import Format

class Clay(Format):
    tasks, home, noun, like = ("text_classification",), "eager", "a model of clay", {like!r}

    def save(self, model, folder):
        return {{}}
'''


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Path]:
    """Write packages here before the first look at the catalogue."""
    with installed(tmp_path):
        yield tmp_path


def test_artifacts_call_a_format_by_its_file_with_dashes() -> None:
    assert {"hf", "hf-causal", "openvino-int8"} <= set(catalog.names("formats"))
    assert catalog.name_of(format_named("onnx-int8")) == "onnx-int8"
    with pytest.raises(ModelError, match="Nothing here knows models of format clay") as caught:
        format_named("clay")
    assert "install the package" in caught.value.fix


def test_a_package_brings_a_format_that_is_taken_for_what_it_is_like(packages: Path) -> None:
    plugin_package(packages, "formats", "soft_clay", CLAY.format(like="hf"))
    plugin_package(packages, "formats", "fired_clay", CLAY.format(like="soft-clay"))
    assert list(lineage("fired-clay")) == ["fired-clay", "soft-clay", "hf"]
    assert fits("fired-clay", ("onnx", "hf")) and fits("fired-clay", ("soft-clay",))
    assert not fits("hf", ("soft-clay",)) and not fits("soft-clay", ("onnx",))
    assert "onnx-int8" in reachable("fired-clay")


def test_what_nobody_knows_is_taken_by_its_name_alone() -> None:
    assert fits("fake", ("fake",)) and not fits("fake", ("hf",))


def test_what_can_be_made_of_a_format_follows_from_the_steps() -> None:
    assert reachable("hf") == {"hf", "onnx", "onnx-int8", "openvino-int8"}
    assert {"hf-causal", "byte-lm", "openvino-causal"} <= reachable("gguf")


def test_students_learn_from_float_networks() -> None:
    assert {"hf", "hf-causal"} <= set(unpacked_formats())
    assert not {"gguf", "onnx", "byte-lm"} & set(unpacked_formats())


def test_an_engine_of_baselines_opens_nothing_else() -> None:
    assert opens_baselines_only(catalog.load("engines", "numpy"))
    assert not opens_baselines_only(catalog.load("engines", "eager"))


def test_of_an_engine_that_is_not_here_nothing_is_said() -> None:
    assert runs_baselines("numpy") and not runs_baselines("ort") and not runs_baselines("gone")


def test_a_head_is_trained_by_what_says_that_it_does() -> None:
    assert catalog.name_of(training_of_heads("hf", {})) == "train.full"
    with pytest.raises(PlanError, match="nothing here trains one for models of format onnx"):
        training_of_heads("onnx", {})
