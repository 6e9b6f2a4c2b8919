"""The training loop: it learns, keeps the best, ends in time, reports, and leaves the network clean."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lighten.core.errors import DataError, StepFailed, StoppedEarly
from lighten.core.rows import Rows
from lighten.core.step import Silent, Watch
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.walk import layer_list
from lighten.nets.forward import logits
from lighten.nets.network import Network
from lighten.nets.training import loop
from lighten.nets.training import rows as rows_module
from lighten.nets.training.rows import fit
from lighten.nets.training.schedule import Schedule, Trained
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows

TASK, TRAIN, TUNE = TextClassification(), toy_rows(320), toy_rows(80, seed=1)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=2, labels=None), ("negative", "positive"))


def train(network: Network, watch: Watch | None = None, rows: Rows = TRAIN, seed: int = 0, **values: float) -> Trained:
    targets = torch.tensor(rows.targets)
    schedule = Schedule(**values)  # type: ignore[arg-type]
    return fit(
        network, rows, TUNE, TASK, lambda out, at: TASK.loss(out, targets[at]), schedule,
        seed=seed, threads=1, watch=watch or Silent(),
    )  # fmt: skip


def accuracy(network: Network, rows: Rows) -> float:
    return float(TASK.right(logits(network, rows.inputs, 1), rows).mean())


class Recorder(Silent):
    """Remembers what it is told; there are ``seconds`` by ``clock``."""

    def __init__(
        self, seconds: float = math.inf, stop_at: float = 2.0, clock: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.deadline, self.stop_at, self.clock = clock() + seconds, stop_at, clock
        self.messages: list[str] = []
        self.scores: list[tuple[float, float]] = []

    def progress(self, done: float, total: float, message: str = "") -> None:
        assert 0 <= done <= total
        self.messages.append(message)

    def score(self, fraction: float, value: float) -> None:
        self.scores.append((fraction, value))
        if fraction >= self.stop_at:
            raise StoppedEarly("cannot win")

    def seconds_left(self) -> float:
        return self.deadline - self.clock()


def test_learns_and_is_clean_afterwards(network: Network) -> None:
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    result = train(network, epochs=8)
    assert accuracy(network, toy_rows(200, seed=2)) > 0.95
    assert result.rows == 8 * len(TRAIN)
    assert network.has_head
    assert not network.net.training
    assert not network.net.get_input_embeddings().sparse
    assert all(p.requires_grad and p.grad is None for p in network.net.parameters())
    assert "forward" not in vars(layer_list(network.net)[-1])
    assert {m.p for m in network.net.modules() if isinstance(m, torch.nn.Dropout)} == {0.1}
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_learns_in_bf16_too(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTEN_PRECISION", "bf16")
    train(network, epochs=8)
    assert accuracy(network, toy_rows(200, seed=2)) > 0.95


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path, layers=2)
    ends = []
    for seed in (3, 3, 4):
        network = open_network(folder)
        train(network, seed=seed, epochs=1)
        ends.append(logits(network, TUNE.inputs, 1))
    assert (ends[0] == ends[1]).all()
    assert not (ends[0] == ends[2]).all()


def test_keeps_the_best_weights_seen(tmp_path: Path, network: Network) -> None:
    train(network, epochs=8)
    good = accuracy(network, TUNE)
    worse = Rows(TRAIN.inputs, tuple(1 - t for t in TRAIN.targets))
    result = train(network, rows=worse, epochs=2)
    assert accuracy(network, TUNE) == good == result.best.quality
    assert min(point.score.quality for point in result.points) < good


def test_judges_half_epochs_when_they_are_few(network: Network) -> None:
    watch = Recorder()
    train(network, watch, epochs=2, patience=9)
    assert [round(fraction, 1) for fraction, _ in watch.scores] == [0.2, 0.5, 0.8, 1.0]
    assert watch.messages[0].startswith("epoch 1/2, ")


def test_stops_when_nothing_gets_better(network: Network) -> None:
    result = train(network, epochs=50, learning_rate=1e-12, patience=2)
    assert result.rows < 10 * len(TRAIN)


@pytest.mark.parametrize("cost", [1 / 128, 1 / 8])  # sums of them are exact
def test_ends_in_the_time_there_is(network: Network, monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
    now = 0.0

    def clock() -> float:
        return now

    def forward(*given: object) -> torch.Tensor:
        nonlocal now
        now += cost
        return run(*given)

    run = rows_module.run
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(rows_module, "run", forward)
    watch = Recorder(seconds=2.0, clock=clock)
    result = train(network, watch, epochs=10_000, patience=10_000)
    assert result.rows == pytest.approx(2.0 / cost * Schedule().batch_rows, rel=0.25)  # some time is left over
    assert 0.0 <= watch.seconds_left() < 0.5
    assert watch.scores[-1][0] == 1.0


def test_no_time_at_all_still_ends(network: Network) -> None:
    result = train(network, Recorder(seconds=0.0), epochs=3)
    assert result.rows <= 32
    assert len(result.points) == 1


def test_racing_may_stop_it_and_the_network_is_clean(network: Network) -> None:
    with pytest.raises(StoppedEarly):
        train(network, Recorder(stop_at=0.4), epochs=2)
    assert not network.net.get_input_embeddings().sparse
    assert "forward" not in vars(layer_list(network.net)[-1])


def test_frozen_embeddings_stay(network: Network) -> None:
    before = {n: t.clone() for n, t in network.net.state_dict().items()}
    train(network, epochs=1, freeze_embeddings=True)
    after = network.net.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any(".embeddings." in name for name in changed)
    assert "bert.encoder.layer.0.attention.self.query.weight" in changed


def test_says_so_when_training_comes_apart(network: Network) -> None:
    with pytest.raises(StepFailed, match="came apart"):
        fit(
            network, TRAIN, TUNE, TASK, lambda out, at: out.sum() * math.inf, Schedule(),
            seed=0, threads=1, watch=Silent(),
        )  # fmt: skip


def test_refuses_rows_it_cannot_learn_from(network: Network) -> None:
    with pytest.raises(DataError, match="no rows to train on"):
        train(network, rows=Rows((), ()))
    with pytest.raises(DataError, match="A row has class 2; the network has 2 classes"):
        train(network, rows=Rows(("good", "bad"), (0, 2)))
