"""Formats of a GGUF file: bytes go where they lower the loss most, and what is on a grid already is copied."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import StepFailed
from lighten.core.language import LanguageSession, Span
from lighten.core.rows import Rows
from lighten.core.step import Needs, settings_of
from lighten.export.dequantize import Dequantize
from lighten.nets.gguf.network import GgufModel, open_gguf, save_gguf
from lighten.nets.gguf.weights import QuantizedTensor, floats
from lighten.nets.language.network import LanguageNetwork, open_language
from lighten.quantize.gguf import (
    HEADS,
    LADDER,
    GgufQuantization,
    allocate,
    calibration_texts,
    known_curvature,
)
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny_language import FAMILIES, tiny_documents, tiny_language

EMBEDDING = HEADS[0]
NEEDS = Needs(TextGeneration(), tune=tiny_documents(6))


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("libgguf"), "the libraries of GGUF (pip install 'lighten[llama]')")


def network(folder: Path, family: str = "llama", **more: bool) -> LanguageNetwork:
    return open_language(tiny_language(family, folder, **more))


def packed(model: GgufModel) -> dict[str, QuantizedTensor]:
    return dict(model.tensors())


def saved(model: GgufModel, folder: Path) -> Artifact:
    folder.mkdir()
    save_gguf(model, folder)
    return Artifact.seal(folder, format="gguf", meta=model.record)


A = [(100, 10.0, "small"), (150, 4.0, "middle"), (200, 0.0, "large")]
B = [(100, 3.0, "small"), (120, 1.0, "middle"), (200, 0.0, "large")]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (0.0, ("small", "small")),
        (0.24, ("small", "middle")),  # 48 bytes: A's 50 do not fit, B's 20 do
        (0.25, ("middle", "small")),  # 50: 6 / 50 beats 2 / 20 and 10 / 100
        (0.35, ("middle", "middle")),
        (0.60, ("large", "middle")),  # then 4 / 50 beats 1 / 80
        (0.99, ("large", "middle")),
        (1.00, ("large", "large")),
    ],
)
def test_bytes_go_where_they_lower_the_loss_most(more: float, wanted: tuple[str, str]) -> None:
    assert tuple(allocate({"a": A, "b": B}, more).values()) == wanted


def test_a_step_that_is_too_dear_does_not_stand_before_one_that_is_not() -> None:
    steep = [(100, 9.0, "small"), (150, 6.0, "middle"), (200, 0.0, "large")]
    assert allocate({"a": steep}, 0.99) == {"a": "middle"}
    assert allocate({"a": steep}, 1.0) == {"a": "large"}


def test_nothing_is_spent_on_what_does_not_help() -> None:
    flat = [(100, 1.0, "small"), (150, 1.0, "middle"), (200, 2.0, "large")]
    assert allocate({"a": flat, "b": [(7, 0.0, "only")]}, 2.0) == {"a": "small", "b": "only"}
    assert allocate({}, 0.5) == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_formats_fit_and_the_bytes_are_kept_to(tmp_path: Path, family: str) -> None:
    model = network(tmp_path, family)
    smallest, some, all_ = (
        packed(GgufQuantization(format="Q4_0", head="Q5_0", more=more).run(model, NEEDS)) for more in (0.0, 0.1, 2.0)
    )
    matrices = {name: tensor for name, tensor in smallest.items() if len(tensor.shape) > 1}
    assert {tensor.format for name, tensor in smallest.items() if name not in matrices} == {"F32"}
    assert {tensor.format for name, tensor in matrices.items() if name not in HEADS} == {"Q4_0"}
    assert {tensor.format for name, tensor in matrices.items() if name in HEADS} == {"Q5_0"}
    sizes = [sum(found[name].data.nbytes for name in matrices) for found in (smallest, some, all_)]
    assert 1.05 * sizes[0] < sizes[1] <= 1.1 * sizes[0] < sizes[2]
    tied = model.net.config.tie_word_embeddings
    largest = {all_[name].format for name in matrices if tied or name != EMBEDDING}
    assert largest == {"Q8_0"}  # with bytes for all, every matrix that is measured is as good as it gets


def test_formats_that_the_columns_do_not_fill_give_way_to_the_next(tmp_path: Path) -> None:
    made = packed(GgufQuantization(format="Q4_K", head="Q6_K", more=0.0).run(network(tmp_path), NEEDS))
    assert {tensor.format for tensor in made.values()} == {"F32", "Q5_0", "Q8_0"}
    assert made[EMBEDDING].format == "Q8_0"
    model = network(tmp_path)
    model.net.model.layers[0].mlp.down_proj.weight = torch.nn.Parameter(torch.zeros(64, 40))
    with pytest.raises(StepFailed, match=r"blk.0.ffn_down.weight has 40 columns, which fill no format from Q4_0 on"):
        GgufQuantization(format="Q4_0")._formats(model, {}, {})


@pytest.mark.parametrize("family", ["llama", "gemma3_text"])
def test_what_is_on_a_grid_is_copied_and_not_rounded_again(tmp_path: Path, family: str) -> None:
    first = GgufQuantization(format="Q4_0", head="Q5_0").run(network(tmp_path / "net", family), NEEDS)
    before = open_gguf(saved(first, tmp_path / "first"))
    back = Dequantize().run(before, NEEDS)
    for step in (
        GgufQuantization(format="Q4_0", head="Q5_0"),
        GgufQuantization(format="IQ4_NL", head="Q5_0", more=0.0),
        GgufQuantization(format="Q8_0", head="Q8_0"),
    ):
        after = packed(step.run(back, NEEDS))
        for name, tensor in packed(before).items():
            if step.more or tensor.format in ("F32", "Q4_0", "Q5_0" if name == EMBEDDING else "Q4_0"):
                assert after[name].format == tensor.format, (step, name)
                assert np.array_equal(after[name].data, tensor.data), (step, name)
    with torch.no_grad():
        back.net.model.layers[1].mlp.up_proj.weight += 0.5
    after = packed(GgufQuantization(format="Q8_0", head="Q8_0").run(back, NEEDS))
    differ = {n for n, tensor in packed(before).items() if not np.array_equal(after[n].data, tensor.data)}
    assert differ == {"blk.1.ffn_up.weight"}


def test_no_bytes_are_set_aside_for_what_is_copied(tmp_path: Path) -> None:
    """All of a file is on the grid of Q4_0 but one matrix: all bytes beyond the smallest go there."""
    first = GgufQuantization(format="Q4_0", head="Q4_0", more=0.0).run(network(tmp_path / "net", tied=True), NEEDS)
    back = Dequantize().run(open_gguf(saved(first, tmp_path / "first")), NEEDS)
    with torch.no_grad():
        back.net.model.layers[1].mlp.up_proj.weight += 0.1 * torch.randn(96, 64)
    made = packed(GgufQuantization(format="Q4_0", head="Q4_0", more=0.15).run(back, NEEDS))
    matrices = {name: tensor.format for name, tensor in made.items() if len(tensor.shape) > 1}
    assert matrices.pop("blk.1.ffn_up.weight") == "Q8_0"
    assert set(matrices.values()) == {"Q4_0"}


def test_more_bytes_lose_less(tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")
    from lighten.engines.llama import Llama

    model = network(tmp_path / "net", "mistral")
    model.net.requires_grad_(False)
    ids = tuple(model.tokens([" ".join(NEEDS.tune.inputs)])[0][:200])  # type: ignore[union-attr]
    wanted = model.net(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    wanted = wanted.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].numpy()
    errors = []
    for number, step in enumerate(
        (GgufQuantization("Q4_0", "Q4_0", 0.0), GgufQuantization("Q4_0", "Q4_0", 0.3), GgufQuantization("Q8_0", "Q8_0"))
    ):
        with Llama().open(saved(step.run(model, NEEDS), tmp_path / str(number)), threads=1) as session:
            assert isinstance(session, LanguageSession)
            found = session.score([Span(ids[:1], ids[1:])])[0]
        errors.append(np.abs(found.logprobs - wanted).mean())
    assert errors[0] > 1.2 * errors[1] > 2 * errors[2]
    assert errors[2] < 0.1


def test_curvature_is_measured_once_for_a_network(tmp_path: Path) -> None:
    model, texts = network(tmp_path), calibration_texts(NEEDS)
    first = known_curvature(model, texts, NEEDS)
    assert known_curvature(model, texts, NEEDS) is first
    assert known_curvature(model, texts[:2], NEEDS) is not first
    with torch.no_grad():
        model.net.model.norm.weight[0] += 1
    assert known_curvature(model, texts[:2], NEEDS) is not first


def test_calibration_reads_what_the_model_will_read() -> None:
    rows = Rows(("one", "two"), (0, 1))
    task = TextGeneration("choices", choices=(" a", " b"), prefix="shots\n\n")
    assert calibration_texts(Needs(task, tune=rows)) == ["shots\n\none", "shots\n\ntwo"]
    assert calibration_texts(Needs(TextGeneration(), tune=rows)) == ["one", "two"]


def test_refusals_and_settings(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="needs texts to calibrate"):
        GgufQuantization().run(network(tmp_path), Needs(TextGeneration()))
    with pytest.raises(StepFailed, match="nothing to score"):
        GgufQuantization().run(network(tmp_path), Needs(TextGeneration(), tune=Rows(("", ""), (0, 0))))
    assert catalog.load_step("quantize.gguf") is GgufQuantization
    for known in settings_of(GgufQuantization):
        assert not any(known.problem(value) for value in (known.default, *known.search))
    assert [GgufQuantization(format).share() for format in LADDER] == sorted(
        GgufQuantization(format).share() for format in LADDER
    )
    assert floats(packed(GgufQuantization("Q8_0").run(network(tmp_path), NEEDS))["output_norm.weight"]).shape == (64,)
