"""The training loop: it learns, keeps the best, ends in time, reports, and leaves the network clean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lighten.core.errors import DataError, StepFailed, StoppedEarly
from lighten.core.rows import Rows
from lighten.core.step import Silent, Watch
from lighten.nets.encoders.network import open_network
from lighten.nets.encoders.walk import layer_list
from lighten.nets.forward import logits
from lighten.nets.module.network import open_module
from lighten.nets.network import Network
from lighten.nets.training import loop, pacing, pieces
from lighten.nets.training.checkpoint import Checkpoints
from lighten.nets.training.group import Group
from lighten.nets.training.kept import Kept, tensors_of
from lighten.nets.training.loop import train as train_work
from lighten.nets.training.memory import Fitted
from lighten.nets.training.rows import RowsTraining, fit
from lighten.nets.training.schedule import LAST, Schedule, State, Trained
from lighten.nets.training.trainable import Batch, Trainable
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_modules import allowing, tiny_code, tiny_module

TASK, TRAIN, TUNE = TextClassification(), toy_rows(320), toy_rows(80, seed=1)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=2, labels=None), ("negative", "positive"))


def train(
    network: Network, watch: Watch | None = None, rows: Rows = TRAIN, seed: int = 0, **values: float | str
) -> Trained:
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
    assert watch.messages[0].startswith("pass 0.")


def test_stops_when_nothing_gets_better(network: Network) -> None:
    result = train(network, epochs=50, learning_rate=1e-12, patience=2)
    assert result.rows < 10 * len(TRAIN)


@pytest.mark.parametrize("cost", [1 / 128, 1 / 8])  # sums of them are exact
def test_ends_in_the_time_there_is(network: Network, monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
    now = 0.0

    def clock() -> float:
        return now

    def learned(work: RowsTraining, batch: Batch, weight: float) -> float:
        nonlocal now
        now += cost
        return backward(work, batch, weight)

    backward = RowsTraining.backward
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(RowsTraining, "backward", learned)
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
    train(network, epochs=1, freeze="embeddings")
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


def work(network: Network, **values: float | str) -> RowsTraining:
    return RowsTraining(network, TRAIN, TUNE, TASK, Schedule(**values), threads=1)  # type: ignore[arg-type]


def test_a_loss_that_is_no_number_goes_back_at_a_lower_rate(network: Network) -> None:
    one, told = work(network, epochs=8), []
    backward, count = one.backward, 0

    def failing(batch: list[int], weight: float) -> float:
        nonlocal count
        count += 1
        value = backward(batch, weight)
        return math.nan if count == 25 or (len(batch) == 1 and batch[0] == bad) else value

    one.backward = failing  # type: ignore[method-assign, assignment]
    bad = one.batches(2, 0)[4][3]
    result = train_work(one, seed=0, threads=1, watch=Silent(), note=told.append)
    assert "came apart at update 25 (epoch 3, batch 5" in told[0] and f"not finite by themselves: {bad} of" in told[0]
    assert "0.3 of the learning rate" in told[0] and result.notes == told
    assert accuracy(network, toy_rows(200, seed=2)) > 0.7  # it still learns


def test_a_plan_by_time_is_made_from_the_first_updates_and_undoes_them(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: now))
    first = {name: tensor.clone() for name, tensor in network.net.state_dict().items()}
    heard: list[dict[str, torch.Tensor]] = []
    one = work(network, epochs=1000, patience=1000)
    backward = one.backward

    def seen(batch: list[int], weight: float) -> float:
        nonlocal now
        now += 1 / 8
        heard.append({name: tensor.clone() for name, tensor in network.net.state_dict().items()})
        return backward(batch, weight)

    one.backward = seen  # type: ignore[method-assign, assignment]
    steps: list[int] = []
    result = train_work(
        one, seed=0, threads=1, watch=Silent(), seconds=20.0, heard=lambda state, loss, share: steps.append(state.rows)
    )
    assert result.rows == pytest.approx(20.0 * 8 * 32, rel=0.35) and 0 <= result.rows - result.planned < 32
    assert len(result.points) >= pacing.CURVE
    begun = len(heard) - len(steps)  # updates that were only timed
    assert begun >= pacing.LEAST_TRIED and steps[0] == 32
    assert all(torch.equal(heard[begun][name], tensor) for name, tensor in first.items())


def test_a_setback_goes_back_to_what_was_learned_where_nothing_is_held_out_too(network: Network) -> None:
    one, first = work(network, epochs=3, holds_out=False, keep=LAST), network.net.classifier.weight.clone()
    backward, count, back = one.backward, 0, []

    def failing(batch: list[int], weight: float) -> float:
        nonlocal count
        count += 1
        value = backward(batch, weight)
        return math.nan if count == 25 else value

    one.backward = failing  # type: ignore[method-assign, assignment]

    def told(text: str) -> None:
        assert "came apart at update 25" in text
        back.append(network.net.classifier.weight.clone())

    result = train_work(one, seed=0, threads=1, watch=Silent(), note=told)
    assert len(back) == 1 and not torch.equal(back[0], first) and not result.points


def test_processes_of_one_machine_share_its_room_for_what_frozen_blocks_put_out(network: Network) -> None:
    class Third(Group):
        here = 3

    one, heard = work(network, epochs=1), []

    def keep_prefix(decided: bool | None, seconds: float, among: int) -> bool:
        heard.append(among)
        return False

    one.keep_prefix = keep_prefix  # type: ignore[method-assign, assignment]
    train_work(one, seed=0, threads=1, watch=Silent(), group=Third())
    assert heard == [3]


class Killed(BaseException):
    """Stands for ``kill -9``: what is on the disk then is all that is left."""


class Seldom(Checkpoints):
    """Written after every third update."""

    updates = 0

    def due(self) -> bool:
        self.updates += 1
        return self.updates % 3 == 0


Ends = tuple[dict[str, torch.Tensor], Trained]


def end_of(make: Callable[[], Trainable], folder: Path, kill: int = 0, **more: Any) -> Ends:
    """What a training comes to: all that its network holds, and what became of it; killed after an update."""

    def heard(state: State, *_: float) -> None:
        if state.updates == kill:
            raise Killed

    one = make()
    result = train_work(
        one, seed=3, threads=1, watch=Silent(), checkpoints=Seldom(folder, {}), heard=heard, **more
    )  # fmt: skip
    return {name: tensor.clone() for name, tensor in tensors_of(one.net).items()}, result


def taken_up(make: Callable[[], Trainable], folder: Path, *kills: int) -> tuple[Ends, Ends]:
    """A training in one sitting, and one that was killed after some updates and taken up."""
    whole = end_of(make, folder / "whole")
    for kill in kills:
        with pytest.raises(Killed):
            end_of(make, folder / "killed", kill)
    return whole, end_of(make, folder / "killed")


def same(one: Ends, other: Ends) -> None:
    """They ended with the same bits, and say the same of it."""
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(tensor, other[0][name]) for name, tensor in one[0].items())
    told, told_other = ({**asdict(result), "seconds": 0} for _, result in (one, other))
    assert told == told_other


@pytest.mark.parametrize("how", ["bf16", "recompute", "lora", "prefix", "lora of a prefix in bf16", "file"])
def test_taken_up_it_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    folder, rows = tiny_network_folder(tmp_path / "net", layers=3, labels=None), toy_rows(44)
    schedule = Schedule(
        epochs=3, batch_rows=8, dropout=0.1, learning_rate=1e-3, patience=99,
        freeze="1" if "prefix" in how else "", rank=4 if "lora" in how else 0,
    )  # fmt: skip
    if how == "recompute":
        monkeypatch.setattr(pieces, "fitted", lambda *_, **__: Fitted(3, True))
    if how == "file":
        monkeypatch.setattr(loop, "Kept", partial(Kept, small=0))
    kept: list[bool] = []

    def make() -> Trainable:
        network = open_network(folder, ("negative", "positive"))
        precision = "bf16" if "bf16" in how else "fp32"
        one = RowsTraining(network, rows, TUNE, TASK, schedule, threads=1, precision=precision, seed=3)
        keep = one.keep_prefix

        def kept_prefix(*given: Any) -> bool:
            kept.append(keep(*given))
            return kept[-1]

        one.keep_prefix = kept_prefix  # type: ignore[method-assign, assignment]
        return one

    whole, rest = taken_up(make, tmp_path, 8, 14)
    same(whole, rest)
    assert whole[1].updates == 18 and whole[1].precision == ("bf16" if "bf16" in how else "fp32")
    assert kept == ["prefix" in how] * 4


COUNTING = """

class Counting(Masked):
    def __init__(self, vocabulary, classes):
        super().__init__(vocabulary, classes)
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, ids, mask):
        if self.training:
            self.seen = self.seen + 1
        noise = numpy.random.rand() if self.training else 0.0
        return super().forward(ids, mask) * (1 + noise) / (1 + 0.01 * self.seen)


def counting(vocabulary, classes):
    return Counting(vocabulary, classes)
"""
"""A network that draws from numpy, and counts what it does not save, in a new tensor each time."""


def test_what_a_network_of_ones_own_draws_and_counts_is_kept(tmp_path: Path) -> None:
    code, rows = tiny_code(tmp_path / "code"), toy_rows(44)
    with (code / "mynets.py").open("a") as stream:
        stream.write(f"\n\nimport numpy\n{COUNTING}")
    made = tiny_module(code, "counting", tmp_path / "made", rows.inputs, ("negative", "positive"))
    schedule = Schedule(epochs=3, batch_rows=8, learning_rate=1e-2, patience=99)

    def make() -> Trainable:
        return RowsTraining(open_module(made, ("negative", "positive")), rows, TUNE, TASK, schedule, threads=1)

    before = np.random.get_state(legacy=True)[1].tolist()
    with allowing(code):
        whole, rest = taken_up(make, tmp_path, 8)
    same(whole, rest)
    best = max(whole[1].points, key=lambda point: (point.score.quality, -point.score.loss))
    assert float(whole[0]["own.seen"]) == best.updates > 0
    assert np.random.get_state(legacy=True)[1].tolist() == before


def test_what_went_otherwise_before_a_kill_is_still_said(tmp_path: Path) -> None:
    folder, rows = tiny_network_folder(tmp_path / "net", layers=2, labels=None), toy_rows(44)

    def make() -> Trainable:
        network = open_network(folder, ("negative", "positive"))
        one = RowsTraining(network, rows, TUNE, TASK, Schedule(epochs=3, batch_rows=8, patience=99), threads=1)
        backward, bad = one.backward, one.batches(0, 3)[3]

        def failing(batch: Batch, weight: float) -> float:
            value = backward(batch, weight)
            return math.nan if list(batch) == bad else value

        one.backward = failing  # type: ignore[method-assign, assignment]
        return one

    whole, rest = taken_up(make, tmp_path, 9)
    same(whole, rest)
    assert "came apart at update 4" in rest[1].notes[0]


def test_a_sitting_that_died_of_its_memory_is_taken_up_in_smaller_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rows = tiny_network_folder(tmp_path / "net", layers=2, labels=None), toy_rows(44)
    sizes: list[int] = []

    def make() -> Trainable:
        network = open_network(folder, ("negative", "positive"))
        one = RowsTraining(network, rows, TUNE, TASK, Schedule(epochs=3, batch_rows=8, patience=99), threads=1)
        backward = one.backward

        def seen(batch: Batch, weight: float) -> float:
            sizes.append(len(batch))
            return backward(batch, weight)

        one.backward = seen  # type: ignore[method-assign, assignment]
        return one

    for kill, deaths, most in ((6, 0, 8), (9, 1, 4), (12, 1, 4)):
        sizes.clear()
        with pytest.raises(Killed):
            end_of(make, tmp_path / "run", kill, deaths=deaths)
        assert max(sizes) == most
    monkeypatch.setattr(pieces, "fitted", lambda *_, **__: Fitted(2, False, "There are 3 MB."))
    sizes.clear()
    _, result = end_of(make, tmp_path / "run", deaths=1)
    assert max(sizes) == 2
    assert len(result.notes) == 2 and "ended for its memory" in result.notes[0] and "There are 3 MB" in result.notes[1]
    assert all("not those of one sitting" in note for note in result.notes)


def test_a_machine_that_becomes_slow_ends_it_in_the_end(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    now, each = 0.0, 1.0
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: now))
    one, told = work(network, epochs=1000, patience=1000), []
    backward = one.backward

    def slow(batch: Batch, weight: float) -> float:
        nonlocal now
        now += each
        return backward(batch, weight)

    def heard(state: State, *_: float) -> None:
        nonlocal each
        each = 1.0 if state.updates < 10 else 10.0

    one.backward = slow  # type: ignore[method-assign, assignment]
    result = train_work(one, seed=0, threads=1, watch=Silent(), seconds=100.0, heard=heard, note=told.append)
    assert 150.0 < now < 170.0 and result.planned == result.rows
    assert len(told) == 1 and "has become slower" in told[0] and result.notes == told
    assert result.points[-1].fraction == 1.0  # what it had learned was judged, and the best is kept


def test_what_was_spent_before_the_first_checkpoint_is_not_given_again(
    tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, fatal = 0.0, 6
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: now))
    one, count = work(network, epochs=1000, patience=1000), 0
    backward = one.backward

    def slow(batch: Batch, weight: float) -> float:
        nonlocal now, count
        now, count = now + 1.0, count + 1
        if count == fatal:
            raise Killed
        return backward(batch, weight)

    one.backward = slow  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):  # while the first updates are timed
        train_work(one, seed=0, threads=1, watch=Silent(), seconds=200.0, checkpoints=Seldom(tmp_path / "run", {}))
    assert Checkpoints(tmp_path / "run", {}).spent == 5.0
    now += 1000.0
    result = train_work(one, seed=0, threads=1, watch=Silent(), seconds=200.0, checkpoints=Seldom(tmp_path / "run", {}))
    assert result.rows == pytest.approx((200.0 - 5.0) * 32, rel=0.12) and Checkpoints(tmp_path / "run", {}).spent == 0.0
