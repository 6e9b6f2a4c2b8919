"""Weights that are kept come back as they were, from memory and from a file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lighten.core.errors import RunFolderError
from lighten.nets.training import kept as module
from lighten.nets.training.kept import Kept, by_itself, put_into, tensors_of


@pytest.mark.parametrize(("small", "own"), [(0, False), (0, True), (1 << 20, True)])
def test_what_is_kept_comes_back(tmp_path: Path, small: int, own: bool) -> None:
    live = {"a": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)}
    kept = Kept(lambda: live, tmp_path / "run" / "kept.safetensors" if own else None, small)
    assert kept.version == 0 and kept.file is None
    kept.keep()
    live["a"].mul_(-1)
    live["n"].add_(1)
    if small or own:
        values = kept.values() if kept.file is None else load_file(kept.file)
        assert torch.equal(values["a"], torch.arange(6.0).reshape(2, 3))
    kept.give_back()
    assert torch.equal(live["a"], torch.arange(6.0).reshape(2, 3)) and int(live["n"]) == 3
    kept.put({"a": torch.ones(2, 3), "n": torch.tensor(9)})
    live["n"] = torch.tensor(7)  # as a module does that puts a new tensor in the place of an old one
    kept.give_back()
    assert torch.equal(live["a"], torch.ones(2, 3)) and int(live["n"]) == 9 and kept.version == 2
    assert [path.name for path in tmp_path.rglob("*.*")] == (["kept.safetensors"] if own and not small else [])
    kept.close()
    kept.close()
    assert not list(tmp_path.rglob("*.*"))


def test_who_holds_the_file_by_another_name_keeps_what_it_held(tmp_path: Path) -> None:
    live = {"a": torch.ones(2)}
    kept = Kept(lambda: live, tmp_path / "kept.safetensors", 0)
    kept.keep()
    assert kept.file is not None
    (tmp_path / "other").hardlink_to(kept.file)
    live["a"].zero_()
    kept.keep()
    assert load_file(tmp_path / "other")["a"].tolist() == [1.0, 1.0]
    kept.close()


@pytest.mark.parametrize("named", [False, True])
def test_a_temporary_file_has_no_name_that_a_kill_could_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    if named:
        monkeypatch.setattr(module, "OPEN", tmp_path / "none")  # as on systems without it
    elif not module.OPEN.is_dir():
        pytest.skip("this system has no /proc")
    live = {"a": torch.ones(2)}
    kept = Kept(live, small=0)
    for value in (1.0, 2.0):
        live["a"].fill_(value)
        kept.keep()
        live["a"].zero_()
        kept.give_back()
        assert live["a"].tolist() == [value, value] and kept.file is None
        assert len(list(tmp_path.rglob("*.safetensors"))) == named
    kept.close()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: object, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(RunFolderError, match="is full"):
        Kept(lambda: {"a": torch.ones(2)}, tmp_path / "kept.safetensors", 0).keep()


def test_all_that_answers_depend_on_is_named_once() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    net[1].weight = net[0].weight
    assert set(tensors_of(net)) == set(net.state_dict()) - {"1.weight"}


class Own(torch.nn.Module):
    """A network of a user's own, with buffers that it does not save."""

    def __init__(self) -> None:
        super().__init__()
        self.own = torch.nn.Linear(2, 2)
        table, line = torch.ones(4), torch.arange(3.0)
        self.register_buffer("rotations", torch.ones(3, dtype=torch.complex64), persistent=False)
        self.register_buffer("mask", line.expand(2, 3), persistent=False)
        self.register_buffer("cache", table[:2], persistent=False)
        self.register_buffer("count", torch.tensor(0), persistent=False)
        self.register_buffer("none", None, persistent=False)


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_of_a_users_own_network_what_counts_is_kept_and_a_cache_that_grew_is_left(tmp_path: Path, small: int) -> None:
    net = Own()
    assert set(tensors_of(net)) == {"own.weight", "own.bias", "cache", "count"}
    kept = Kept(lambda: tensors_of(net), tmp_path / "kept.safetensors", small)
    kept.keep()
    net.count, net.cache, net.none = net.count + 1, torch.zeros(7), torch.ones(1)
    kept.give_back()
    assert int(net.count) == 0 and net.cache.tolist() == [0.0] * 7 and net.none.tolist() == [1.0]
    kept.close()


def test_files_take_tensors_that_share_their_memory() -> None:
    table = torch.arange(6.0)
    assert by_itself(table) is not None and by_itself(table).data_ptr() == table.data_ptr()
    assert by_itself(table[:3]).data_ptr() != table.data_ptr() and by_itself(table[:3]).tolist() == [0.0, 1.0, 2.0]
    live = {"a": torch.zeros(3), "b": torch.zeros(2)}
    told = {"a": table[:3], "b": table, "c": table}
    assert put_into(live, told, told.__getitem__) == ["b", "c"]
    assert live["a"].tolist() == [0.0, 1.0, 2.0] and live["b"].tolist() == [0.0, 0.0]
