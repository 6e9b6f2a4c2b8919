"""Pieces of a batch: what does not fit is cut, and the gradients are the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from lighten.core.step import Silent
from lighten.nets.encoders.network import open_network
from lighten.nets.network import Network
from lighten.nets.training.group import Group
from lighten.nets.training.loop import train as train_work
from lighten.nets.training.pieces import Pieces
from lighten.nets.training.rows import RowsTraining
from lighten.nets.training.schedule import Schedule, State
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=2, labels=None), ("negative", "positive"))


def work(network: Network) -> RowsTraining:
    rows, tune = toy_rows(320), toy_rows(80, seed=1)
    return RowsTraining(network, rows, tune, TextClassification(), Schedule(epochs=1), threads=1)


def test_a_batch_that_does_not_fit_is_cut_and_gives_the_same_gradients(network: Network) -> None:
    one, told = work(network), []
    batch = one.batches(0, 0)[0]
    with one.prepared():
        one.backward(batch, 1.0)
    whole = {name: p.grad.clone() for name, p in network.net.named_parameters()}
    network.net.zero_grad()
    backward = one.backward

    def narrow(rows: list[int], weight: float) -> float:
        if len(rows) > 10:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return backward(rows, weight)

    one.backward = narrow  # type: ignore[method-assign, assignment]
    pieces, state = Pieces(one, Group(), told.append), State()
    with one.prepared():
        pieces.gradients(state, batch, len(batch))
    for name, parameter in network.net.named_parameters():
        found = parameter.grad.to_dense() if parameter.grad.is_sparse else parameter.grad
        torch.testing.assert_close(found, whole[name], atol=1e-6, rtol=1e-4)
    pieces.close()
    assert ["16" in told[0], "8" in told[1]] == [True, True] and state.piece == 8
    one.backward = backward  # type: ignore[method-assign]

    def broken(rows: list[int], weight: float) -> float:
        raise RuntimeError("something else")

    one.backward = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="something else"):
        train_work(one, seed=0, threads=1, watch=Silent())


def test_no_piece_is_smaller_than_what_can_be_learned_from(network: Network) -> None:
    one, told, sizes = work(network), [], []
    one.least = 2
    backward = one.backward

    def narrow(rows: list[int], weight: float) -> float:
        sizes.append(len(rows))
        if len(rows) > 2 and not state.recompute:
            raise MemoryError
        return backward(rows, weight)

    one.backward = narrow  # type: ignore[method-assign, assignment]
    pieces, state = Pieces(one, Group(), told.append), State()
    with one.prepared():
        pieces.gradients(state, one.batches(0, 0)[0][:7], 7)
        state.piece = 1
        pieces.gradients(state, one.batches(0, 0)[0][:5], 5)
    pieces.close()
    assert sizes == [7, 3, 2, 2, 3, 2, 2, 3, 2, 3] and state.recompute
    assert "As few rows as can be learned from at once (2)" in told[-1]


@pytest.mark.parametrize(("size", "deaths", "piece"), [(1, 1, 16), (2, 1, 8), (2, 2, 4)])
def test_after_a_death_each_process_computes_half_of_its_share(
    network: Network, size: int, deaths: int, piece: int
) -> None:
    class Several(Group):
        def share(self, batch: Sequence[int], least: int) -> list[int]:
            return list(batch[: len(batch) // size])

    told: list[str] = []
    pieces, state = Pieces(work(network), Several(), told.append), State()
    pieces.cut_after(state, 0, deaths)
    assert (state.piece, state.deaths) == (piece, deaths) and f"at most {piece} rows" in told[0]
    pieces.cut_after(state, 0, deaths)
    assert state.piece == piece and len(told) == 1
