"""What frozen blocks put out is kept: in memory, in a file that is checked, or nowhere; rows lie as in a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lighten.core.errors import RunFolderError
from lighten.nets.training import prefix
from lighten.nets.training.prefix import Computed, PrefixCache, Shape, laid_out, output_of, standing_in, taken_apart

ROWS = [torch.arange(3.0 * n).view(n, 3) for n in (1, 2, 4)]


class Made:
    """What is computed, and how often they were asked for."""

    def __init__(self) -> None:
        self.count = 0

    def __iter__(self) -> Iterator[Computed]:
        self.count += 1
        yield [0, 1], ROWS[:2], 0.5
        yield [2], ROWS[2:], 0.5


def same(found: list[Tensor] | None) -> bool:
    return found is not None and all(torch.equal(a, b) for a, b in zip(found, ROWS, strict=True))


def test_it_is_made_once_and_kept_in_memory(tmp_path: Path) -> None:
    cache, made = PrefixCache(tmp_path / "prefix"), Made()
    assert same(cache.outputs("a", 3, made)) and same(cache.outputs("a", 3, made)) and made.count == 1
    assert cache.knows("a") and not (tmp_path / "prefix").exists()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_does_not_fit_is_kept_in_a_file_which_another_process_reads(tmp_path: Path, dtype: torch.dtype) -> None:
    made = [([0, 1], [one.to(dtype) for one in ROWS[:2]], 0.5), ([2], [ROWS[2].to(dtype)], 0.5)]
    assert same([one.float() for one in PrefixCache(tmp_path, room=1).outputs("a", 3, made) or ()])
    found = PrefixCache(tmp_path, room=1).outputs("a", 3, [])
    assert same([one.float() for one in found or ()]) and found[0].dtype is dtype
    assert {path.name for path in tmp_path.iterdir()} == {"a.bin", "a.json"}


def test_a_damaged_file_is_made_again_and_without_room_there_is_none(tmp_path: Path) -> None:
    made = Made()
    PrefixCache(tmp_path, room=1).outputs("a", 3, made)
    (tmp_path / "a.bin").write_bytes(b"x" * (tmp_path / "a.bin").stat().st_size)
    assert same(PrefixCache(tmp_path, room=1).outputs("a", 3, made)) and made.count == 2
    record = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps({**record, "version": 0}))
    assert same(PrefixCache(tmp_path, room=1).outputs("a", 3, made)) and made.count == 3
    assert PrefixCache(None, room=1).outputs("b", 3, made) is None
    assert PrefixCache(tmp_path).outputs("b", 3, made, seconds=0.0) is None  # nor without time


def test_rows_lie_as_in_a_batch_and_come_apart_again() -> None:
    places = torch.tensor([[1, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]).bool()  # padding behind, and in front
    whole = laid_out(ROWS, places)
    assert whole.shape == (3, 4, 3) and torch.equal(whole[1, 2:], ROWS[1]) and not whole[0, 1:].any()
    assert all(torch.equal(a, b) for a, b in zip(taken_apart(whole, places), ROWS, strict=True))
    pooled = [torch.ones(1, 5), torch.ones(1, 5), torch.zeros(1, 5)]  # the last layer answers for the first place alone
    assert torch.equal(laid_out(pooled, places), torch.stack(pooled))
    assert torch.equal(laid_out([torch.ones(2, 3)], None), torch.ones(1, 2, 3))


def test_blocks_stand_still_while_others_answer_for_them() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1))
    x = torch.ones(1, 2)
    with torch.no_grad():
        output = output_of(net[1], lambda: net(x))
        with standing_in([net[0], net[1]], Shape(output), output):
            found = net(torch.zeros(1, 2))
        assert torch.equal(found, net(x)) and "forward" not in vars(net[0])
    with pytest.raises(ValueError, match="not asked"):
        output_of(nn.Linear(1, 1), lambda: net(x))
    with pytest.raises(ValueError, match="several tensors"):
        Shape((x, x))
    assert Shape((x, None)).like(x) == (x, None)


def test_processes_share_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(one.nbytes for one in ROWS)
    monkeypatch.setattr(prefix, "available_memory", lambda: 2 * size / prefix.SHARE)
    assert same(PrefixCache().outputs("a", 3, Made(), among=2))
    assert PrefixCache().outputs("a", 3, Made(), among=3) is None
    monkeypatch.setattr(PrefixCache, "_free", lambda self: 2 * size / prefix.DISK)
    assert same(PrefixCache(tmp_path, room=1).outputs("a", 3, Made(), among=2))
    assert PrefixCache(tmp_path, room=1).outputs("b", 3, Made(), among=3) is None


def test_rows_that_cannot_be_read_are_no_fault_of_the_disk(tmp_path: Path) -> None:
    def pieces() -> Iterator[Computed]:
        yield [0, 1], ROWS[:2], 0.5
        raise FileNotFoundError("picture.png")

    with pytest.raises(FileNotFoundError, match="picture"):
        PrefixCache(tmp_path, room=1).outputs("a", 3, pieces())
    assert not [*tmp_path.iterdir()]
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="file"):
        PrefixCache(tmp_path / "file", room=1).outputs("a", 3, Made())
