"""What everybody does with a GGUF file: formats tensor by tensor, for architectures that lighten cannot open too."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.language import Span
from lighten.core.matching import facts_of
from lighten.core.space import Space
from lighten.core.step import Needs
from lighten.engines.eager import Eager
from lighten.engines.llama import Llama
from lighten.nets.gguf.file import FILE, read_gguf
from lighten.nets.gguf.network import open_gguf, save_gguf
from lighten.nets.gguf.weights import QuantizedTensor, floats, pack
from lighten.quantize.gguf_plain import FILE_TYPES, GgufPlain, format_of
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny_language import tiny_gguf, tiny_phi3

NEEDS = Needs(TextGeneration())


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    require(find_spec("gguf") and find_spec("xllamacpp"), "llama.cpp (pip install 'lighten[llama]')")


def made(source: Artifact, folder: Path, mixture: str) -> Artifact:
    folder.mkdir()
    save_gguf(GgufPlain(mixture).run(open_gguf(source), NEEDS), folder)
    return Artifact.seal(folder, format="gguf")


def scored(artifact: Artifact) -> np.ndarray:
    with Llama(flash="off").open(artifact, threads=1) as session:
        ids = tuple(session.encode("ba ko lin stre um or ti zza qu ing ed"))
        found: np.ndarray = session.score([Span(ids[:1], ids[1:])])[0].logprobs
    return found


@pytest.mark.parametrize("mixture", FILE_TYPES)
def test_what_lighten_cannot_open_is_quantized_and_answers(tmp_path: Path, mixture: str) -> None:
    source = tiny_phi3(tmp_path)
    before = facts_of(source)
    assert "phi3" in before["no_network"] and not before["quantized"]
    after = made(source, tmp_path / mixture, mixture)
    assert facts_of(after)["quantized"] and facts_of(after)["bits"] < before["bits"]
    assert read_gguf(after.path / FILE).values["general.file_type"] == FILE_TYPES[mixture]
    apart = np.abs(scored(after) - scored(source)).max()
    assert apart < (0.5 if mixture == "Q8_0" else 5.0)  # a broken file is dozens apart


def test_metadata_and_their_types_stay(tmp_path: Path) -> None:
    source = tiny_gguf("llama", tmp_path, format="F16")
    model = open_gguf(source)
    model.values["some.number"], model.values["some.list"] = 3, (1, 2)
    model.types = {**model.types, "some.number": 5, "some.list": 5}  # 32 bits with a sign
    (tmp_path / "odd").mkdir()
    save_gguf(model, tmp_path / "odd")
    after = read_gguf(made(Artifact.seal(tmp_path / "odd", format="gguf"), tmp_path / "q", "Q8_0").path / FILE)
    assert (after.values["some.number"], after.types["some.number"]) == (3, 5)
    assert (after.values["some.list"], after.types["some.list"]) == ((1, 2), 5)
    assert {k: v for k, v in after.values.items() if k in model.values and k != "general.file_type"} == {
        k: v for k, v in model.values.items() if k != "general.file_type"
    }


def test_what_is_smaller_already_is_copied_and_vectors_are_kept(tmp_path: Path) -> None:
    """The largest of 32 numbers becomes 127 in Q8_0: numbers that are those steps come back as they were."""
    steps = np.arange(-127, 128, dtype=np.float32).repeat(8)[: 32 * 63].reshape(63, 32)
    steps[:, 0] = 127
    small = pack(np.linspace(-1, 1, 64, dtype=np.float32).reshape(2, 32), "Q4_0")
    experts = pack(np.tile(steps[:4], (3, 1, 1)).astype(np.float32), "F16")
    given = {
        "blk.0.attn_q.weight": pack(steps, "F32"),
        "blk.0.attn_k.weight": small,
        "blk.0.ffn_up_exps.weight": experts,
        "blk.0.attn_norm.weight": pack(np.ones(32, np.float32), "F32"),
        "blk.0.ffn_gate_inp.weight": pack(steps[:2], "F32"),
    }
    model = open_gguf(tiny_gguf("llama", tmp_path))
    model.tensors = lambda: iter(given.items())
    found: dict[str, QuantizedTensor] = dict(GgufPlain("Q8_0").run(model, NEEDS).tensors())
    assert {name: packed.format for name, packed in found.items()} == {
        "blk.0.attn_q.weight": "Q8_0",
        "blk.0.attn_k.weight": "Q4_0",
        "blk.0.ffn_up_exps.weight": "Q8_0",
        "blk.0.attn_norm.weight": "F32",
        "blk.0.ffn_gate_inp.weight": "F32",
    }
    assert np.array_equal(floats(found["blk.0.attn_q.weight"]), steps)
    assert found["blk.0.attn_k.weight"] is small
    assert found["blk.0.ffn_up_exps.weight"].shape == (3, 4, 32)
    assert np.array_equal(floats(found["blk.0.ffn_up_exps.weight"]), np.tile(steps[:4], (3, 1, 1)))


def test_mixtures_are_those_of_the_tool() -> None:
    """Of 24 layers the first and the last three, and every third in between, have more bits in Q4_K_M."""
    values = [format_of("Q4_K_M", f"blk.{i}.attn_v.weight", (256, 256), 24, tied=True) for i in range(24)]
    assert [i for i, one in enumerate(values) if one == "Q6_K"] == [0, 1, 2, 5, 8, 11, 14, 17, 20, 21, 22, 23]
    assert set(values) == {"Q4_K", "Q6_K"}
    whole = (256, 256)
    assert format_of("Q4_0", "output.weight", whole, 24, tied=False) == "Q6_K"
    assert format_of("Q4_0", "token_embd.weight", whole, 24, tied=False) == "Q4_0"
    assert format_of("Q4_K_M", "blk.0.attn_q.weight", (64, 96), 24, tied=True) == "Q5_0"
    assert format_of("Q8_0", "blk.0.attn_q.weight", (64, 30), 24, tied=True) == ""
    assert format_of("Q8_0", "blk.0.attn_q.bias", (64,), 24, tied=True) == ""


def test_a_file_that_is_no_larger_is_refused(tmp_path: Path) -> None:
    assert not GgufPlain("Q8_0").check({"bits": 16.0}) and not GgufPlain("Q4_0").check({"bits": 8.5})
    assert "have 8.5 bits each already" in GgufPlain("Q8_0").check({"bits": 8.5})
    assert 0 < GgufPlain("Q4_0").share() < GgufPlain("Q4_K_M").share() < GgufPlain("Q8_0").share() < 1
    assert catalog.load_step("quantize.gguf_plain") is GgufPlain


def test_the_space_of_a_closed_file_is_what_needs_no_network(tmp_path: Path) -> None:
    source = tiny_phi3(tmp_path)
    known = {**facts_of(source), "evidence": "documents"}
    space = Space.compose("gguf", [Llama(), Eager()], known)
    assert not space.reshaping and not space.exact
    assert "export.dequantize" in space.refused
    steps = [step for variant in space.variants if isinstance(variant.engine, Llama) for step in variant.steps]
    assert [step.mixture for step in steps if isinstance(step, GgufPlain)] == ["Q8_0", "Q4_K_M", "Q4_0"]
    assert not any(isinstance(variant.engine, Eager) for variant in space.variants)
    opened = Space.compose("gguf", [Llama(), Eager()], {**known, "no_network": ""})
    assert opened.reshaping and not opened.refused
    rounded = Space.compose("gguf", [Llama()], {**known, "bits": 8.5})
    left = [step.mixture for variant in rounded.variants for step in variant.steps if isinstance(step, GgufPlain)]
    assert left == ["Q4_K_M", "Q4_0"]
