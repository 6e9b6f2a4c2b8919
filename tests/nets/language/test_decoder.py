"""Narrower decoders: what goes first, what the others make up for, one size for all layers, engines that open it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import ModelError
from lighten.core.language import Span
from lighten.core.step import Needs, Silent
from lighten.nets.language import width as decoder_width
from lighten.nets.language.decoder import decoders, keep_gated, record
from lighten.nets.language.network import LanguageNetwork, open_language, save_language
from lighten.nets.language.width import in_room, narrow, neurons, queries, spread
from lighten.pipeline.formats import save_model
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.require import require
from lighten.testing.tiny_language import FAMILIES, tiny_documents, tiny_language, tiny_texts

TEXTS = tiny_texts(60, 4)
IDS = torch.tensor([[1, *range(30, 70)]])


def opened(folder: Path, family: str) -> LanguageNetwork:
    return open_language(tiny_language(family, folder))


def logits(model: LanguageNetwork) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.net(IDS).logits
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_keeping_all_changes_nothing(tmp_path: Path, family: str) -> None:
    model = opened(tmp_path, family)
    before = logits(model)
    assert torch.equal(logits(narrow(model, 1.0, 1.0, TEXTS, watch=Silent())), before)


@pytest.mark.parametrize("texts", [TEXTS, None], ids=["reconstruction", "magnitude"])
@pytest.mark.parametrize("family", FAMILIES)
def test_parts_that_do_nothing_go_first(tmp_path: Path, family: str, texts: tuple[str, ...] | None) -> None:
    model = opened(tmp_path, family)
    for layer in decoders(model.net):
        layer.down.weight.data[:, 10:42] = 0.0
        layer.out.weight.data[:, : 2 * layer.size] = 0.0  # the first two of four heads
    before = logits(model)
    narrow(model, 0.67, 0.5, texts, watch=Silent())
    for layer in decoders(model.net):
        assert (layer.heads[0], layer.up.out_features, layer.down.in_features) == (2, 64, 64)
    torch.testing.assert_close(logits(model), before, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_an_ordinary_model_that_llama_cpp_reads_alike(tmp_path: Path, family: str) -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")
    heads = 1.0 if family == "qwen2" else 0.5
    model = narrow(opened(tmp_path / "a", family), 0.67, heads, TEXTS, watch=Silent())
    again = open_language(save_language(model, tmp_path / "b"))
    torch.testing.assert_close(logits(again), logits(model))
    config = again.net.config
    assert (config.num_attention_heads, config.intermediate_size) == (round(4 * heads), 64)
    ids = IDS[0].tolist()
    answer = again.net.generate(IDS, max_new_tokens=3, do_sample=False, eos_token_id=-1)  # with keys and values kept
    assert torch.equal(answer[:, -1], again.net(answer[:, :-1]).logits[:, -1].argmax(-1))
    made = catalog.load_step("export.gguf")(format="F32").run(again, Needs(TextGeneration()))  # type: ignore[call-arg]
    (tmp_path / "g").mkdir()
    artifact = Artifact.seal(tmp_path / "g", format="gguf", meta=save_model(made, "gguf", tmp_path / "g"))
    wanted = torch.log_softmax(logits(again)[0].float(), -1)[torch.arange(len(ids) - 1), ids[1:]]
    with catalog.load("engines", "llama")().open(artifact, threads=1) as session:
        found = session.score([Span(tuple(ids[:1]), tuple(ids[1:]))])[0].logprobs
    np.testing.assert_allclose(found, wanted.numpy(), atol=0.05)


@pytest.mark.parametrize("family", ["llama", "gemma3_text"])
def test_the_others_make_up_for_what_goes(tmp_path: Path, family: str) -> None:
    off = {}
    for name, texts in (("reconstruction", TEXTS), ("magnitude", None)):
        model = opened(tmp_path, family)
        for layer in decoders(model.net):  # a third of the neurons do what others do already
            layer.gate.weight.data[64:], layer.up.weight.data[64:] = layer.gate.weight[:32], layer.up.weight[:32]
        before = torch.log_softmax(logits(model), -1)
        after = torch.log_softmax(logits(narrow(model, 0.67, 1.0, texts, watch=Silent())), -1)
        off[name] = float((before.exp() * (before - after)).sum(-1).mean())
    assert off["reconstruction"] < 0.1 * off["magnitude"]


def test_few_covariances_fit_into_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_language(tiny_language("llama", tmp_path, layers=5))
    assert [len(run) for run in in_room(decoders(model.net), True, True)] == [5]
    monkeypatch.setattr(decoder_width, "ROOM", 2 * 4 * (96**2 + 64**2))
    assert [len(run) for run in in_room(decoders(model.net), True, True)] == [2, 2, 1]
    narrow(model, 0.67, 0.5, TEXTS, watch=Silent())
    assert {layer.up.out_features for layer in decoders(model.net)} == {64}
    assert torch.isfinite(logits(model)).all()


def test_layers_of_several_sizes_are_refused(tmp_path: Path) -> None:
    model = opened(tmp_path, "llama")
    keep_gated(decoders(model.net)[0], torch.arange(32))
    with pytest.raises(ModelError, match="differ in their sizes"):
        record(model.net)


@pytest.mark.parametrize(
    ("wanted", "size", "kept"),
    [(1024, 2048, 1024), (600, 2048, 512), (10, 2048, 256), (2048, 2048, 2048), (64, 96, 64), (1, 96, 32), (7, 21, 7)],
)
def test_neurons_fill_the_blocks_of_gguf_formats(wanted: float, size: int, kept: int) -> None:
    assert neurons(wanted, size) == kept


@pytest.mark.parametrize(
    ("share", "heads", "groups", "size", "kept"),
    [
        (1.0, 4, 1, 256, (1, 4)),
        (0.67, 4, 1, 256, (1, 3)),
        (0.5, 32, 8, 64, (4, 4)),  # whole groups: their keys and values go too
        (0.67, 12, 2, 64, (2, 4)),
        (0.01, 8, 4, 64, (1, 2)),
        (0.01, 8, 8, 64, (1, 1)),
        (0.3, 4, 4, 16, (2, 1)),  # one head of 16 would fill no block
    ],
)
def test_heads_go_in_whole_groups_or_equally_from_each(
    share: float, heads: int, groups: int, size: int, kept: tuple[int, int]
) -> None:
    assert queries(share, heads, groups, size) == kept


def test_texts_are_spread() -> None:
    rows = [[i] * 10 for i in range(20)]
    assert [row[0] for row in spread(rows, 50)] == [0, 4, 8, 12, 16]
    assert spread(rows, 10_000) == rows and len(spread(rows, 1)) == 1


def test_documents_of_the_task_are_read(tmp_path: Path) -> None:
    model = opened(tmp_path, "qwen3")
    step = catalog.load_step("prune.width")(ff=0.34, heads=0.5)  # type: ignore[call-arg]
    assert step.run(model, Needs(TextGeneration(), train=tiny_documents(20))) is model
    assert (model.net.config.intermediate_size, model.net.config.num_attention_heads) == (32, 2)
