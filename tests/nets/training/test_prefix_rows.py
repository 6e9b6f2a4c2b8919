"""A network that begins from what its frozen blocks put out answers and learns as one that computes everything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lighten.core.reader import Reader
from lighten.core.rows import Rows
from lighten.core.step import Silent
from lighten.nets.encoders.network import open_network
from lighten.nets.forward import logits, run
from lighten.nets.network import Network
from lighten.nets.training import prefix_rows
from lighten.nets.training.checkpoint import Checkpoints
from lighten.nets.training.loop import train
from lighten.nets.training.prefix import PrefixCache
from lighten.nets.training.prefix_rows import RowsPrefix
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import LAST, Schedule, State, Trained
from lighten.nets.vision.network import open_vision
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder

TEXTS, PICTURES = TextClassification(), ImageClassification()
FAMILIES = ("resnet", "mobilenet_v2", "efficientnet", "convnext", "vit", "swin")


def texts(folder: Path, family: str = "bert") -> tuple[Network, Rows]:
    return open_network(tiny_network_folder(folder / "net", family, layers=3)), toy_rows(40)


def pictures(folder: Path, family: str = "resnet") -> tuple[Network, Rows]:
    return open_vision(tiny_vision_folder(folder / "net", family)), tiny_pictures(folder / "rows", 24)


def work(
    made: tuple[Network, Rows], freeze: str, rank: int = 0, precision: str = "fp32", **more: float
) -> RowsTraining:
    network, rows = made
    schedule = Schedule(**{"epochs": 2.0, "batch_rows": 8, "freeze": freeze, "rank": rank, "keep": LAST, **more})  # type: ignore[arg-type]
    task = TEXTS if network.reader.pads else PICTURES
    return RowsTraining(network, rows, rows.take(range(12)), task, schedule, threads=1, precision=precision)


@pytest.mark.parametrize("freeze", ["1", "2", "all"])
@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "mpnet"])
def test_texts_are_answered_alike(tmp_path: Path, family: str, freeze: str) -> None:
    _alike(work(texts(tmp_path, family), freeze))


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_are_answered_alike_and_read_once(
    tmp_path: Path, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = work(pictures(tmp_path, family), "all")
    found = _alike(one)
    monkeypatch.setattr(type(one.network.reader), "batch", None)  # nothing is read any more
    with one.prepared(), torch.no_grad(), one.network.shortcut():
        found.answers([3, 1])


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_are_answered_alike_from_the_middle(tmp_path: Path, family: str) -> None:
    _alike(work(pictures(tmp_path, family), "2"))


def _alike(one: RowsTraining) -> RowsPrefix:
    """Fill a prefix and compare what is answered from it with what is computed."""
    found = RowsPrefix(one.network, one.part, one.examples, one._items, 1, None)
    with one.prepared():
        assert found.fill(PrefixCache())
        one.net.eval()  # blocks of Swin that learn are left out at random
        with torch.no_grad(), one.network.shortcut():
            for batch in (found.batches()[0], [5, 2, 11]):
                whole = run(one.network, one.examples.take(batch))
                torch.testing.assert_close(found.answers(batch), whole, atol=1e-5, rtol=1e-4)
    return found


def taught(one: RowsTraining, checkpoints: Checkpoints | None = None, end: int = 0) -> Trained:
    """Train, or until an update after which nothing more happens."""

    def heard(state: State, loss: float, share: float) -> None:
        if state.updates == end:
            raise KeyboardInterrupt

    return train(one, seed=3, threads=1, watch=Silent(), checkpoints=checkpoints, heard=heard)


def digest(network: Network) -> str:
    found = hashlib.sha256()
    for name, tensor in sorted(network.net.state_dict().items()):
        found.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("make", [texts, pictures])
@pytest.mark.parametrize(("freeze", "rank"), [("2", 0), ("all", 0), ("1", 2), ("", 2)])
def test_it_learns_the_same_and_is_taken_up_exactly(
    tmp_path: Path, make: Callable[[Path], tuple[Network, Rows]], freeze: str, rank: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if rank and make is pictures:
        pytest.skip("a ResNet has no linear layers")
    whole = work(make(tmp_path), freeze, rank)
    at_rest = [name for name, one in whole.net.named_parameters() if any(one is two for two in whole.part.still)]
    before = {name: tensor.clone() for name, tensor in whole.net.state_dict().items()}
    result = taught(whole)
    assert any("computed once" in note for note in result.notes) == bool(whole.part.frozen)
    changed = {name for name, tensor in whole.net.state_dict().items() if not torch.equal(tensor, before[name])}
    merged = {f"{name}.weight" for name in whole.part.learned}
    assert changed and not changed & (set(at_rest) - merged)

    for update in (2, 5):
        place = tmp_path / f"checkpoint-{update}"
        with pytest.raises(KeyboardInterrupt):
            taught(work(make(tmp_path), freeze, rank), Checkpoints(place, {}, every=0.0), update)
        held = {name.partition(".")[2] for name in load_file(max(place.glob("state-*"))) if name.startswith("weights.")}
        assert held and not held & set(at_rest)  # only what learns is in a checkpoint
        again = work(make(tmp_path), freeze, rank)
        taught(again, Checkpoints(place, {}, every=0.0))
        assert digest(again.network) == digest(whole.network)

    monkeypatch.setattr(RowsTraining, "keep_prefix", lambda self, *_: False)
    plain = work(make(tmp_path), freeze, rank)
    taught(plain)
    items = plain.tune.inputs
    np.testing.assert_allclose(logits(plain.network, items, 1), logits(whole.network, items, 1), atol=0.02, rtol=0.02)


def test_trials_that_share_a_cache_compute_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, read = PrefixCache(), []
    made = pictures(tmp_path)
    batch = type(made[0].reader).batch

    def counted(self: Reader[object], examples: list[object], size: int | None = None) -> object:
        read.append(len(examples))
        return batch(self, examples, size)

    monkeypatch.setattr(type(made[0].reader), "batch", counted)
    counts = []
    for rate in (1e-4, 1e-3):
        one = work(made, "all", learning_rate=rate)
        one.cache = cache
        taught(one)
        counts.append(sum(read))
    assert counts[1] - counts[0] < 24  # a few, to see how it answers


def test_one_pass_and_no_room_compute_everything(tmp_path: Path) -> None:
    assert not any("computed once" in note for note in taught(work(texts(tmp_path), "2", epochs=1.0)).notes)
    one = work(texts(tmp_path), "2")
    one.cache = PrefixCache(None, room=10)
    assert not any("computed once" in note for note in taught(one).notes)


def test_a_single_pass_begins_from_what_is_kept_already(tmp_path: Path) -> None:
    made, cache = pictures(tmp_path), PrefixCache()
    for epochs in (2.0, 1.0):  # in between statistics of norms that learn have changed
        one = work(made, "2", epochs=epochs)
        one.cache = cache
        assert any("computed once" in note for note in taught(one).notes), epochs
    assert len(cache._held) == 2  # rows to learn from, and to be judged by


def test_it_begins_from_the_middle_in_bf16_too(tmp_path: Path) -> None:
    assert any("computed once" in note for note in taught(work(texts(tmp_path), "2", precision="bf16")).notes)


def test_nothing_is_computed_where_answers_differ_unless_that_was_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix_rows, "CLOSE", -1.0)
    one, cache = work(texts(tmp_path), "2"), PrefixCache()
    found = RowsPrefix(one.network, one.part, one.examples, one._items, 1, None)
    with one.prepared():
        assert not found.fill(cache) and not cache._held
        assert found.fill(cache, sure=True) and cache._held


def test_blocks_that_mix_rows_are_computed_with_them(tmp_path: Path) -> None:
    one = work(texts(tmp_path), "2")
    one.net.bert.embeddings.register_forward_hook(lambda _, __, output: output - output.mean(0))
    with one.prepared():
        assert not RowsPrefix(one.network, one.part, one.examples, one._items, 1, None).fill(PrefixCache())


def test_want_of_memory_is_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr(RowsPrefix, "answers", answers)
    one = work(texts(tmp_path), "2")
    with one.prepared(), pytest.raises(RuntimeError, match="allocate memory"):
        RowsPrefix(one.network, one.part, one.examples, one._items, 1, None).fill(PrefixCache())
