"""Rows with an answer each: what the user asks, label smoothing, what suits a network otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lighten.core.errors import DataError, InputError, StepFailed
from lighten.core.rows import Rows
from lighten.core.step import Needs, Silent
from lighten.nets.encoders.network import open_network
from lighten.nets.training.checkpoint import Checkpoints
from lighten.nets.training.kept import Kept
from lighten.nets.training.loop import train
from lighten.nets.training.optimizer import ADAMW, MUON
from lighten.nets.training.rows import FRESH, RATE, USUAL, RowsTraining, fit, labels_loss, of_needs
from lighten.nets.training.schedule import Hyperparameters, Schedule, State
from lighten.nets.vision.network import open_vision
from lighten.tasks.image_classification import ImageClassification
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_pictures import tiny_pictures, tiny_vision_folder

TASK = TextClassification()


def test_label_smoothing_is_that_of_torch() -> None:
    outputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    rows = Rows(("a",) * 5, (0, 1, 2, 1, 0))
    batch = [4, 1, 2]
    targets = torch.tensor([0, 1, 2])
    for smoothing in (0.0, 0.2):
        expected = torch.nn.functional.cross_entropy(outputs[batch], targets, label_smoothing=smoothing)
        assert labels_loss(rows, TASK, smoothing)(outputs[batch], batch).item() == pytest.approx(expected.item())


def test_what_is_asked_is_done_and_the_rest_suits_the_network(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path, layers=2), ("negative", "positive"))
    needs = Needs(TASK, train=toy_rows(20), tune=toy_rows(8, seed=1))
    usual = of_needs(network, needs, Hyperparameters()).schedule
    assert (usual.epochs, usual.learning_rate, usual.batch_rows) == (USUAL, RATE, 32)
    fresh = of_needs(network, needs, Hyperparameters(from_scratch=True)).schedule
    assert (fresh.epochs, fresh.batch_rows) == (FRESH, 128) and fresh.learning_rate > RATE
    asked = of_needs(network, needs, Hyperparameters(epochs=2.0, learning_rate=3e-5, batch_rows=4, weight_decay=0.0))
    assert asked.peak == pytest.approx(3e-5) and asked.batch == 4
    assert (asked.schedule.epochs, asked.schedule.weight_decay) == (2.0, 0.0)
    assert of_needs(network, needs, Hyperparameters(timed=True)).schedule.epochs > usual.epochs
    with pytest.raises(StepFailed, match="needs rows"):
        of_needs(network, Needs(TASK), Hyperparameters())


class Killed(Exception):
    """The training died."""


def weights(make: Callable[[], RowsTraining], folder: Path, moments: tuple[int, ...] = ()) -> str:
    """SHA-256 of the weights after a training that dies after some updates, and is taken up by a new one each time."""
    for moment in (*moments, 0):
        work = make()

        def heard(state: State, loss: float, share: float, moment: int = moment) -> None:
            if state.updates == moment:
                raise Killed

        checkpoints = Checkpoints(folder, {}, every=0.0)
        try:
            train(work, seed=3, threads=1, watch=Silent(), checkpoints=checkpoints, heard=heard)
        except Killed:
            continue
    digest = hashlib.sha256()
    for name, tensor in sorted(work.net.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def test_varied_examples_are_the_same_after_a_kill_and_others_in_each_pass(tmp_path: Path) -> None:
    tiny_vision_folder(tmp_path / "net")
    rows = tiny_pictures(tmp_path / "rows", 32)

    def make(augment: tuple[str, ...] = ("shift", "flip")) -> RowsTraining:
        network = open_vision(tmp_path / "net")
        schedule = Schedule(epochs=3, batch_rows=8, learning_rate=1e-3)
        return RowsTraining(
            network, rows, rows.take(range(20)), ImageClassification(), schedule, threads=1, precision="fp32",
            augment=augment,
        )  # fmt: skip

    whole = weights(make, tmp_path / "whole")
    assert weights(make, tmp_path / "killed", (2, 4, 7)) == whole != weights(lambda: make(()), tmp_path / "plain")
    work = make()
    passes = []
    for epoch in (0, 1, 0):
        work.batches(epoch, 3)
        passes.append(np.stack(work.varied([5, 2])))
    np.testing.assert_array_equal(passes[0], passes[2])
    assert (passes[0] != passes[1]).any()


def test_hardened_it_ends_with_the_same_weights_after_a_kill(tmp_path: Path) -> None:
    tiny_vision_folder(tmp_path / "net")
    rows = tiny_pictures(tmp_path / "rows", 24)
    tiny_network_folder(tmp_path / "texts", layers=2)

    def pictures(harden: float = 0.03) -> RowsTraining:
        schedule = Schedule(epochs=2, batch_rows=8, learning_rate=1e-3)
        return RowsTraining(
            open_vision(tmp_path / "net"), rows, rows.take(range(20)), ImageClassification(), schedule, threads=1,
            precision="fp32", harden=harden,
        )  # fmt: skip

    def texts(harden: float = 0.1) -> RowsTraining:
        network = open_network(tmp_path / "texts", ("negative", "positive"))
        schedule = Schedule(epochs=2, batch_rows=8, learning_rate=1e-3, dropout=0.1)
        return RowsTraining(
            network, toy_rows(24), toy_rows(20, seed=1), TASK, schedule, threads=1, precision="fp32", harden=harden
        )

    for name, make in (("pictures", pictures), ("texts", texts)):
        whole = weights(make, tmp_path / f"{name}-whole")
        assert weights(make, tmp_path / f"{name}-killed", (2, 4)) == whole
        assert weights(lambda make=make: make(0.0), tmp_path / f"{name}-plain") != whole  # type: ignore[misc]


def test_with_muon_it_ends_with_the_same_weights_after_a_kill(tmp_path: Path) -> None:
    tiny_network_folder(tmp_path / "net", layers=2)

    def make(optimizer: str = MUON) -> RowsTraining:
        network = open_network(tmp_path / "net", ("negative", "positive"))
        schedule = Schedule(epochs=2, batch_rows=8, learning_rate=1e-3, optimizer=optimizer)
        return RowsTraining(network, toy_rows(24), toy_rows(20, seed=1), TASK, schedule, threads=1, precision="fp32")

    whole = weights(make, tmp_path / "whole")
    assert weights(make, tmp_path / "killed", (2, 4)) == whole != weights(lambda: make(ADAMW), tmp_path / "plain")
    tiny_vision_folder(tmp_path / "pictures")
    network, needs = open_vision(tmp_path / "pictures"), Needs(ImageClassification())
    rows = tiny_pictures(tmp_path / "rows", 8)
    with pytest.raises(InputError, match="no blocks with matrices"):
        of_needs(network, replace(needs, train=rows, tune=rows), Hyperparameters(optimizer=MUON))


def test_texts_are_not_varied_and_what_a_reader_does_not_know_is_refused(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path, layers=2), ("negative", "positive"))
    needs = Needs(TASK, train=toy_rows(20), tune=toy_rows(8, seed=1))
    assert of_needs(network, needs, Hyperparameters()).augment == ()
    with pytest.raises(InputError, match=r"--augment is 'shift'(.|\n)*auto, off"):
        of_needs(network, needs, Hyperparameters(augment="shift"))


def test_again_it_is_trained_otherwise_on_the_rows_that_were_read(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path, layers=2, labels=None), ("negative", "positive"))
    needs = Needs(TASK, train=toy_rows(40), tune=toy_rows(8, seed=1))
    first = of_needs(network, needs, Hyperparameters(epochs=1.0))
    known = first.hyperparameters
    assert None not in (known.epochs, known.learning_rate, known.batch_rows, known.weight_decay)
    assert known.learning_rate == first.peak
    start = Kept(first.weights())
    start.keep()

    def weights(work: object) -> list[torch.Tensor]:
        start.give_back()
        train(work, seed=0, threads=1, watch=Silent())  # type: ignore[arg-type]
        return [tensor.clone() for tensor in network.net.state_dict().values()]

    ends = weights(first)
    other = first.again(replace(known, learning_rate=3e-5, label_smoothing=0.2, batch_rows=8))
    assert other.examples is first.examples and other.answers is first.answers
    assert other.peak == pytest.approx(3e-5) and other.batch == 8 and first.batch == 32
    assert not other.judged_first  # its head is new again
    assert any(not torch.equal(a, b) for a, b in zip(ends, weights(other), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(ends, weights(first), strict=True))


def test_what_is_learned_from_too_judges_nothing(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path, layers=2), ("negative", "positive"))
    rows, tune = toy_rows(40), toy_rows(8, seed=1)
    work = of_needs(network, Needs(TASK, train=rows + tune, tune=tune), Hyperparameters(epochs=2.0, holds_out=False))
    before = network.net.classifier.weight.clone()
    for seconds in (None, 60.0):
        found = train(work, seed=0, threads=1, watch=Silent(), seconds=seconds)
        assert found.points == [] and found.best is None and found.rows == 2 * 48
        assert not torch.equal(before, network.net.classifier.weight)


def test_hardened_it_holds_what_one_loss_takes_at_a_time(tmp_path: Path) -> None:
    network = open_network(tiny_network_folder(tmp_path, layers=2), ("negative", "positive"))
    rows, learned = toy_rows(8), []

    def loss(outputs: torch.Tensor, batch: object) -> torch.Tensor:
        learned.append(network.net.classifier.weight.grad is not None)
        return outputs.square().mean()

    work = RowsTraining(network, rows, rows, TASK, Schedule(), threads=1, loss=loss, harden=0.1)  # type: ignore[arg-type]
    assert work.backward([0, 1], 1.0) > 0
    assert learned == [False, True, True]  # the gradients of the first are there before the input is moved


def test_changes_of_low_rank_begin_by_the_seed_of_a_fit(tmp_path: Path) -> None:
    rows, ends = toy_rows(16), []
    folder = tiny_network_folder(tmp_path, layers=2)
    for one in ("fit", "train"):
        network = open_network(folder, ("negative", "positive"))
        if one == "fit":
            fit(network, rows, rows, TASK, None, Schedule(epochs=1, rank=2), seed=7, threads=1, watch=Silent())
        else:
            work = RowsTraining(network, rows, rows, TASK, Schedule(epochs=1, rank=2), threads=1, seed=7)
            train(work, seed=7, threads=1, watch=Silent())
        ends.append(network.net.state_dict())
    assert all(torch.equal(ends[0][name], one) for name, one in ends[1].items())


def test_rows_that_are_too_few_for_a_batch_are_not_planned(tmp_path: Path) -> None:
    network, rows = open_vision(tiny_vision_folder(tmp_path / "net")), tiny_pictures(tmp_path / "rows", 9)
    work = RowsTraining(network, rows, rows, ImageClassification(), Schedule(epochs=2, batch_rows=4), threads=1)
    assert work.planned() == 2 * 8
    result = train(work, seed=0, threads=1, watch=Silent())
    assert result.rows == result.planned == 16
    with pytest.raises(DataError, match="one row to train on, and a row alone says nothing to the norms"):
        RowsTraining(network, rows.take([0]), rows, ImageClassification(), Schedule(), threads=1)
