"""What a row holds is counted; a step that would not fit is cut, and computed again, and learns the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from lighten.core.step import Silent
from lighten.nets.encoders.network import open_network
from lighten.nets.language.network import open_language
from lighten.nets.language.schedule import LanguageSchedule
from lighten.nets.language.training import TextTraining
from lighten.nets.training import memory
from lighten.nets.training.learning import LearningPart
from lighten.nets.training.loop import train
from lighten.nets.training.memory import MOMENTS, Fitted, Held, fitted, held_by, recomputable, recomputing
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule
from lighten.nets.training.trainable import Trainable
from lighten.nets.vision.network import open_vision
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_language import tiny_language, tiny_texts
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder


def texts(folder: Path, layers: int = 4) -> RowsTraining:
    network = open_network(tiny_network_folder(folder / f"net{layers}", layers=layers))
    return RowsTraining(network, toy_rows(24), toy_rows(9), TextClassification(), Schedule(epochs=1), threads=1)


def language(folder: Path) -> TextTraining:
    schedule = LanguageSchedule(1.0, 1e-3, tokens=64, longest=32)
    return TextTraining(open_language(tiny_language("llama", folder)), tiny_texts(8, 4), tiny_texts(2, 9), schedule)


def learning(work: Trainable) -> int:
    """Bytes of what learning takes beside what a batch does."""
    return MOMENTS * sum(one.numel() for one in work.net.parameters())


def test_deeper_networks_hold_more_and_less_where_blocks_are_computed_again(tmp_path: Path) -> None:
    held = {}
    for layers in (3, 6):
        work = texts(tmp_path, layers)
        longest = max(range(24), key=work.extent)
        held[layers] = held_by(work, longest)
        assert held_by(work, longest) == held[layers] and not work.net.training
        assert held_by(work, min(range(24), key=work.extent))[0].of(1) < held[layers][0].of(1)
    assert 1.3 * held[3][0].of(1) < held[6][0].of(1) < 3 * held[3][0].of(1)
    assert held[6][1].of(1) < 0.8 * held[6][0].of(1)


def test_what_autocast_casts_is_held_once_for_all_rows(tmp_path: Path) -> None:
    work, row = texts(tmp_path), 0
    plain, _ = held_by(work, row)
    work.dtype = torch.bfloat16
    cast, less = held_by(work, row)
    matrices = sum(one.numel() for name, one in work.net.named_parameters() if ".layer." in name and one.dim() > 1)
    assert plain.once < matrices < cast.once and cast.each < plain.each
    assert less.once < cast.once  # blocks cast again what they compute again
    assert held_by(work, row, room=cast.of(1)) == (Held(0, cast.once + cast.each), Held(0, less.once + less.each))


class Answers(nn.Linear):  # type: ignore[misc, unused-ignore]
    """A block that answers with a dictionary."""

    def forward(self, x: torch.Tensor | dict[str, list[torch.Tensor]]) -> dict[str, list[torch.Tensor]]:
        return {"x": [super().forward(x["x"][0] if isinstance(x, dict) else x).relu()]}


def test_blocks_that_answer_with_dictionaries_and_lists_are_counted(tmp_path: Path) -> None:
    work, net = texts(tmp_path), nn.Sequential(Answers(8, 8), Answers(8, 8), Answers(8, 8))
    work.net = net
    work.part = LearningPart(net, tuple(net), lambda: net(torch.ones(1, 8))["x"][0])
    work.computed = lambda batch: net(torch.ones(len(batch), 8))["x"][0]  # type: ignore[method-assign, assignment]
    whole, less = held_by(work, 0)
    assert whole.each > 0 and less.each > 0


def test_what_does_not_fit_is_cut_and_then_computed_again(tmp_path: Path) -> None:
    work = texts(tmp_path)
    batches, beside = work.batches(0, 0), learning(work)
    longest = max(range(24), key=work.extent)
    whole, less = held_by(work, longest)
    assert fitted(work, batches, room=1e12) == Fitted()
    cut = fitted(work, batches, room=beside + whole.of(5.5))
    assert (cut.piece, cut.recompute) == (5, False) and "pieces of at most 5 rows" in cut.note
    small = fitted(work, batches, room=beside + less.of(1.1))
    assert (small.piece, small.recompute) == (1, True) and "computed again" in small.note and "1 row," in small.note
    alone = fitted(work, [[longest]], room=beside + less.of(1.1))
    assert (alone.piece, alone.recompute) == (0, True) and "computed again" in alone.note and "pieces" not in alone.note
    assert fitted(work, batches, room=0).piece == 1
    assert fitted(work, [], room=0) == Fitted()


def test_taken_up_batches_stay_as_they_were_while_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, free = texts(tmp_path), 0.0
    batches, gradients = work.batches(0, 0), learning(work) * memory.GRADIENT / MOMENTS
    whole, _ = held_by(work, max(range(24), key=work.extent))
    monkeypatch.setattr(memory, "available_memory", lambda: free)
    free = (gradients + whole.of(8.5)) / memory.AGAIN
    for before in (Fitted(8), Fitted(2, True)):
        assert fitted(work, batches, before=before) is before
    for before in (Fitted(9), Fitted()):
        assert (
            fitted(work, batches, before=before).piece
            == fitted(work, batches, room=memory.SHARE * free, before=before).piece
            < 8
        )
    assert "pieces" in fitted(work, batches, before=Fitted()).note
    free = 1e12
    for before in (Fitted(), Fitted(3), Fitted(3, True)):
        assert fitted(work, batches, before=before) is before


@pytest.mark.parametrize("make", [texts, language])
def test_blocks_that_are_computed_again_give_the_same_gradients(tmp_path: Path, make: object) -> None:
    work = make(tmp_path)  # type: ignore[operator]
    batch = work.batches(0, 0)[0]
    found = []
    with work.prepared():
        for again in (False, True):
            work.net.zero_grad()
            if again:
                with recomputing(work):
                    loss = work.backward(batch, 1.0)
            else:
                loss = work.backward(batch, 1.0)
            found.append((loss, {name: p.grad for name, p in work.net.named_parameters() if p.grad is not None}))
    assert found[0][0] == pytest.approx(found[1][0]) and found[0][1].keys() == found[1][1].keys()
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], gradient, msg=name)
    assert recomputable(work) and all("forward" not in vars(block) for block in recomputable(work))


def test_norms_of_batches_are_not_computed_again(tmp_path: Path) -> None:
    network, rows = open_vision(tiny_vision_folder(tmp_path / "net")), tiny_pictures(tmp_path / "rows", 9)
    work = RowsTraining(network, rows, rows, ImageClassification(), Schedule(epochs=1), threads=1)
    assert not recomputable(work)
    before = {name: one.clone() for name, one in network.net.named_buffers()}
    assert held_by(work, 0)[0].each > 0
    assert all(torch.equal(one, before[name]) for name, one in network.net.named_buffers())
    assert fitted(work, work.batches(0, 0), room=0).piece == 2  # a norm has nothing to say of a row alone


def test_a_training_says_that_it_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = texts(tmp_path)
    room = learning(work) + held_by(work, max(range(24), key=work.extent))[0].of(6.5)
    monkeypatch.setattr(memory, "available_memory", lambda: room / memory.SHARE)
    result = train(work, seed=0, threads=1, watch=Silent())
    assert result.updates == 1 and "pieces of at most 6 rows" in result.notes[0]
    work = texts(tmp_path)
    work.schedule = replace(work.schedule, epochs=2)
    backward, refused = work.backward, []

    def narrow(rows: list[int], weight: float) -> float:
        if "forward" not in vars(recomputable(work)[0]):
            refused.append(len(rows))
            raise MemoryError("out of memory")
        return backward(rows, weight)

    monkeypatch.setattr(memory, "available_memory", lambda: 1e12)
    work.backward = narrow  # type: ignore[method-assign, assignment]
    result = train(work, seed=0, threads=1, watch=Silent())
    assert refused == [24, 12, 6, 3, 2, 1] and "computed again" in result.notes[-1]
