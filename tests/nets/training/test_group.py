"""Two processes that train together learn what one learns with twice the batch, and take every decision together."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from lighten.core.errors import PeerLost
from lighten.nets.training.group import Group, Meeting, _together

PROGRAM = Path(__file__).with_name("together.py")
together = SimpleNamespace(**runpy.run_path(str(PROGRAM)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have left of everything that the program does."""
    place = tmp_path_factory.mktemp("together")
    both = [
        subprocess.Popen([sys.executable, str(PROGRAM), str(rank), str(place)], stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    told = [one.communicate(timeout=800)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    return place


def told(folder: Path, rank: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"told-{rank}.json").read_text(encoding="utf-8"))
    return found


def same(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """Weights that both hold, bit for bit."""
    one, other = (load_file(folder / f"{name}-{rank}.safetensors") for rank in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one) and one.keys() == other.keys()
    return one


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_learn_texts_as_one_with_twice_the_batch(folder: Path, tmp_path: Path, seed: int) -> None:
    work = together.texts(tmp_path / "net", exact=True)
    assert len(work.batches(0, seed)[0]) in (14, 16)  # of which each of two takes half
    compare(folder, f"texts {seed}", f"texts-{seed}", work, seed)


def test_two_learn_a_language_as_one_with_twice_the_batch(folder: Path, tmp_path: Path) -> None:
    work = together.language(tmp_path / "net", exact=True)
    assert 1 in map(len, work.batches(0, 0) + work.batches(1, 0))  # where one has nothing to learn
    compare(folder, "language", "language-0", work, 0)


def compare(folder: Path, name: str, file: str, work: Any, seed: int) -> None:
    """See that one process learns the same, to rounding: that of float64, which Adam makes no large number of."""
    before = together.weights(work)
    _, losses = together.trained(work, seed, Group())
    assert told(folder)[name] == told(folder, 1)[name] == pytest.approx(losses, rel=1e-4)
    for key, found in same(folder, file).items():
        alone = work.weights()[key]
        learned = (alone - before[key]).abs().max()
        torch.testing.assert_close(found, alone, rtol=0.0, atol=float(0.02 * learned + 1e-7))


def test_statistics_of_batch_norms_are_those_of_all(folder: Path) -> None:
    found = same(folder, "pictures-0")
    assert any("running_mean" in name for name in found)
    assert {int(one) for name, one in found.items() if name.endswith("num_batches_tracked")} == {6}


def test_a_training_of_two_is_taken_up_bit_for_bit(folder: Path) -> None:
    whole = same(folder, "resumed whole")
    for update in together.KILLED:
        found = same(folder, f"resumed {update}")
        assert all(torch.equal(found[name], one) for name, one in whole.items()), update


def test_all_go_back_where_one_comes_apart(folder: Path) -> None:
    same(folder, "setback")
    both = [told(folder, rank)["setback"] for rank in range(2)]
    assert len(both[0]) == len(both[1]) == 1 and "came apart at update" in both[0][0]


def test_what_the_clock_decides_rank_0_decides(folder: Path) -> None:
    both = [told(folder, rank)["time"] for rank in range(2)]
    assert both[0] == both[1] and both[0][2] == "bf16"
    assert told(folder)["cpu"] > 0


def test_one_alone_has_all_rows_and_decides_for_itself() -> None:
    group = Meeting().join()
    assert (group.rank, group.size, group.share([4, 2, 7], 1)) == (0, 1, [4, 2, 7])
    assert group.decide(lambda: (1, 2)) == (1, 2) and group.gather(3.0) == [3.0]
    assert group.add_up(torch.nn.Linear(1, 1), 0.5, 4) == (0.5, 4)


def test_only_a_connection_that_is_gone_is_called_one() -> None:
    gone = (
        "[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1",
        "[gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 7200000ms for recv operation to complete",
        "[gloo/transport/tcp/pair.cc:525] Read timeout [127.0.0.1]:1",
        "[gloo/transport/tcp/pair.cc:534] Connection reset by peer",
    )
    for words in gone:
        with pytest.raises(PeerLost, match="connection to another worker was lost"), _together():
            raise RuntimeError(words)
    others = (
        "Invalid scalar type",
        "[enforce fail at gloo/transport/tcp/pair.cc:446] op.preamble.length <= op.nbytes. 16 vs 8",
        "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory",
        "The size of tensor a (3) must match the size of tensor b (2)",
    )
    for words in others:
        with pytest.raises(RuntimeError, match="^" + re.escape(words)), _together():
            raise RuntimeError(words)
