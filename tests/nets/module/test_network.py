"""A network of the user's own: made for data, opened, saved, asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.rows import Parts
from lighten.formats.module import Module
from lighten.models.bring import bring
from lighten.nets.forward import logits
from lighten.nets.module.network import Bound, open_module
from lighten.nets.module.record import Record, read_record
from lighten.testing.tiny import toy_rows
from lighten.testing.tiny_modules import allowing, tiny_code, tiny_module
from lighten.testing.tiny_pictures import LABELS, SIDE, tiny_pictures

CLASSES = ("bad", "good")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_code(tmp_path_factory.mktemp("code"))


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_read_as_they_are_on_the_whole(tmp_path: Path, code: Path, channels: int) -> None:
    rows = tiny_pictures(tmp_path / "pictures", 6, channels=channels)
    made = tiny_module(code, "pictures", tmp_path / "made", rows.inputs, LABELS)
    record = read_record(made.path)
    assert record.arguments == {"classes": 3, "channels": channels}
    assert (record.name, record.reader, record.trained) == ("Small", "image", False)
    assert f"{SIDE} x {SIDE}" in made.meta["told"] and made.meta["task"] == "image_classification"
    network = open_module(made, LABELS)
    assert not network.has_head and network.labels == LABELS
    arrays = network.reader.batch(network.reader(rows.inputs))
    assert next(iter(arrays.values())).shape == (6, channels, SIDE, SIDE)
    assert abs(float(next(iter(arrays.values())).mean())) < 0.5
    assert logits(network, rows.inputs, 1).shape == (6, 3)
    facts = Module().facts(made.path)
    assert facts["convolutions"] and not facts["attention"] and facts["blocks"] == 2 and not facts["has_head"]


@pytest.mark.parametrize("factory", ["texts", "masked"])
def test_a_text_is_answered_in_a_batch_as_alone(tmp_path: Path, code: Path, factory: str) -> None:
    texts = [*toy_rows(40).inputs, "good", ""]
    network = open_module(tiny_module(code, factory, tmp_path / "made", texts, CLASSES), CLASSES)
    alone = np.concatenate([logits(network, [text], 1) for text in texts])
    np.testing.assert_allclose(logits(network, texts, 1), alone, rtol=1e-4, atol=1e-5)
    assert isinstance(network.net, Bound) and network.net.is_masked is (factory == "masked")
    facts = Module().facts(tmp_path / "made")
    assert facts["recurrent"] and facts["filled"] is (factory == "texts") and not facts["convolutions"]


def test_a_module_that_says_all_of_it_needs_no_data(tmp_path: Path, code: Path) -> None:
    with allowing(code):
        made = bring("mynets:knowing", tmp_path / "made")
    network = open_module(made)
    assert network.has_head and network.labels == ("bright", "dark", "striped")
    assert Module().facts(made.path)["has_head"]


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("misfit", r"answers 2 inputs with \[2, 7\] numbers, and there are 3"),
        ("narrow", "cannot be asked with pixel_values"),
    ],
)
def test_a_module_that_does_not_fit_the_data_is_refused(tmp_path: Path, code: Path, factory: str, said: str) -> None:
    rows = tiny_pictures(tmp_path / "pictures", 6)
    with pytest.raises(ModelError, match=said):
        tiny_module(code, factory, tmp_path / "made", rows.inputs, LABELS)


def test_a_factory_that_met_no_data_is_no_model_yet(tmp_path: Path, code: Path) -> None:
    with allowing(code):
        brought = bring("mynets:texts", tmp_path / "brought")
    assert Module().facts(brought.path)["parameters"] == 0
    with pytest.raises(ModelError, match="is not trained"):
        open_module(brought)


def test_weights_of_other_code_are_refused(tmp_path: Path) -> None:
    code = tiny_code(tmp_path / "code")
    made = tiny_module(code, "texts", tmp_path / "made", toy_rows(20).inputs, CLASSES)
    record = read_record(made.path)
    replace(record, arguments={**record.arguments, "vocabulary": 9}).save(made.path)
    with pytest.raises(ModelError, match="holds no weights for what mynets:texts makes now"):
        open_module(made, CLASSES)


@pytest.mark.parametrize(
    ("forward", "said"),
    [("self, ids, depth", "needs depth"), ("self", "takes nothing"), ("self, ids, *, other", "needs other")],
)
def test_inputs_that_nobody_has_are_refused(forward: str, said: str) -> None:
    scope: dict[str, object] = {"nn": torch.nn}
    exec(f"class Net(nn.Module):\n    def forward({forward}):\n        return ids\n", scope)
    with pytest.raises(ModelError, match=said):
        Bound(scope["Net"](), ("input_ids", "attention_mask"), Record("mynets:texts"))  # type: ignore[operator]


def test_a_limit_that_was_asked_for_is_the_length_of_texts(tmp_path: Path, code: Path) -> None:
    with allowing(code):
        short = Module().shorten(bring("mynets:masked", tmp_path / "short"), 12)
        rows = toy_rows(30)
        made = Module().suit(short, Parts(rows, rows, rows, rows, CLASSES))
    assert Artifact.open(made.path).id == made.id
    assert open_module(made, CLASSES).reader.max_tokens == 12  # type: ignore[attr-defined]


def test_random_weights_are_those_of_the_seed(tmp_path: Path, code: Path, in_this_process: None) -> None:
    rows, found = toy_rows(30), []
    with allowing(code):
        for number, seed in enumerate((3, 3, 4)):
            brought = bring("mynets:texts", tmp_path / str(number))
            made = Module().suit(brought, Parts(rows, rows, rows, rows, CLASSES), seed)
            found.append(open_module(made, CLASSES).net.own.head.weight)
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
