"""Checkpoints: what is written comes back, a broken one is passed over, one of another training is refused."""

from __future__ import annotations

import errno
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from lighten.core.errors import RunFolderError
from lighten.nets.training import checkpoint
from lighten.nets.training.checkpoint import Checkpoints, Snapshot, count_death, deaths_in
from lighten.nets.training.randomness import seed_all, untouched


def snapshot(number: int = 1, kept: int = 1) -> Snapshot:
    return Snapshot(
        state={"rows": number},
        weights={"a.b": torch.full((2, 3), float(number))},
        best={"a.b": torch.full((2, 3), float(-kept))},
        moments={"dense.0.exp_avg": torch.arange(3.0)},
        counts={"lazy.0.step": 4},
        precision="bf16",
        number=number,
        kept=kept,
    )


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    with untouched():
        yield


def test_what_is_written_comes_back_with_the_random_states(tmp_path: Path) -> None:
    seed_all(5)
    Checkpoints(tmp_path, {"model": "m"}).save(snapshot(7, 2))
    expected = torch.rand(3), random.random(), np.random.rand()
    seed_all(6)
    found = Checkpoints(tmp_path, {"model": "m"}).load()
    assert found is not None
    assert torch.equal(torch.rand(3), expected[0]) and (random.random(), np.random.rand()) == expected[1:]
    assert (found.state, found.counts, found.precision) == ({"rows": 7}, {"lazy.0.step": 4}, "bf16")
    assert (found.number, found.kept) == (7, 2)
    assert torch.equal(found.weights["a.b"], torch.full((2, 3), 7.0))
    assert torch.equal(found.best["a.b"], torch.full((2, 3), -2.0))
    assert torch.equal(found.moments["dense.0.exp_avg"], torch.arange(3.0))


def test_two_stand_and_best_weights_are_written_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path, {})
    for number, kept in ((1, 1), (2, 1), (3, 1), (4, 2)):
        checkpoints.save(snapshot(number, kept))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000003.json", "00000004.json", "best-00000001.safetensors", "best-00000002.safetensors",
        "state-00000003.safetensors", "state-00000004.safetensors",
    ]  # fmt: skip
    monkeypatch.setattr(checkpoint, "LARGE", 10)
    checkpoints.save(snapshot(5, 2))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000005.json", "best-00000002.safetensors", "state-00000005.safetensors",
    ]  # fmt: skip
    checkpoints.remove()
    assert not tmp_path.exists()
    assert Checkpoints(tmp_path, {}).load() is None


@pytest.mark.parametrize("broken", ["00000002.json", "state-00000002.safetensors"])
def test_a_broken_one_is_passed_over_and_said(tmp_path: Path, broken: str) -> None:
    checkpoints = Checkpoints(tmp_path, {})
    checkpoints.save(snapshot(1))
    checkpoints.save(snapshot(2))
    path = tmp_path / broken
    path.write_bytes(path.read_bytes()[:-5])
    found = (again := Checkpoints(tmp_path, {})).load()
    assert found is not None and found.state == {"rows": 1}
    assert "00000002.json is damaged" in again.notes[0]


@pytest.mark.parametrize("large", [10, 1 << 30])
@pytest.mark.parametrize("broken", ["cut", "gone", "record"])
def test_a_broken_one_is_gone_once_another_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, large: int
) -> None:
    checkpoints = Checkpoints(tmp_path, {})
    for number in (1, 4):
        checkpoints.save(snapshot(number))
    path = tmp_path / ("00000004.json" if broken == "record" else "state-00000004.safetensors")
    path.unlink() if broken == "gone" else path.write_bytes(path.read_bytes()[:-5])
    monkeypatch.setattr(checkpoint, "LARGE", large)
    again = Checkpoints(tmp_path, {})
    assert again.load() is not None
    for number in (1, 2):
        again.save(snapshot(number))
        found = (last := Checkpoints(tmp_path, {})).load()
        assert found is not None and found.state == {"rows": number} and not last.notes
    assert not list(tmp_path.glob("*00000004*"))
    assert len(list(tmp_path.glob("*.json"))) == (1 if large == 10 else 2)
    again.save(snapshot(4))
    found = Checkpoints(tmp_path, {}).load()
    assert found is not None and found.state == {"rows": 4}


def test_best_weights_that_a_file_holds_are_not_written_again(tmp_path: Path) -> None:
    folder, held = tmp_path / "checkpoint", tmp_path / "checkpoint" / checkpoint.KEPT
    folder.mkdir()
    save_file({"a.b": torch.ones(2)}, held)
    checkpoints = Checkpoints(folder, {})
    checkpoints.save(replace(snapshot(1), best={}), held)
    assert (folder / "best-00000001.safetensors").samefile(held) and held.is_file()
    found = Checkpoints(folder, {}).load()
    assert found is not None and torch.equal(found.best["a.b"], torch.ones(2))


def test_another_kind_of_processor_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Checkpoints(tmp_path, {}).save(snapshot(1))
    (same := Checkpoints(tmp_path, {})).load()
    monkeypatch.setattr(checkpoint, "processor", lambda: "vax")
    (other := Checkpoints(tmp_path, {})).load()
    assert not same.notes and "(vax; the checkpoint is from " in other.notes[0]


def test_deaths_are_counted_beside_the_checkpoints(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    assert deaths_in(folder) == 0
    count_death(folder)
    count_death(folder)
    Checkpoints(folder, {}).save(snapshot(1))
    assert deaths_in(folder) == 2
    (tmp_path / "file").write_text("")
    count_death(tmp_path / "file")


def test_one_of_another_training_or_layout_is_refused(tmp_path: Path) -> None:
    Checkpoints(tmp_path, {"data": "a", "model": "m"}).save(snapshot())
    with pytest.raises(RunFolderError, match="of another training: data was 'a' and is now 'b'; model was 'm' and is"):
        Checkpoints(tmp_path, {"data": "b"}).load()
    path = tmp_path / "00000001.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(RunFolderError, match="another layout"):
        Checkpoints(tmp_path, {"data": "a", "model": "m"}).load()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk of .* is full"),
        (SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"), "is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written"),
    ],
)
def test_the_last_good_one_stands_where_no_other_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    checkpoints = Checkpoints(tmp_path, {})
    checkpoints.save(snapshot(1))

    def full(tensors: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(RunFolderError, match=rf"{words}(.|\n)*last good checkpoint stands(.|\n)*--resume"):
        checkpoints.save(snapshot(2))
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*"))
    found = Checkpoints(tmp_path, {}).load()
    assert found is not None and found.state == {"rows": 1}


def test_it_is_time_for_one_as_often_as_it_is_cheap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now)
    checkpoints = Checkpoints(tmp_path, {}, every=10.0)
    checkpoints.save(snapshot())
    now = 9.0
    assert not checkpoints.due()
    now = 10.0
    assert checkpoints.due()
    checkpoints._cost = 2.0  # a twentieth of the time
    assert not checkpoints.due()
    now = 40.0
    assert checkpoints.due()
    assert Checkpoints(tmp_path, {}, every=0.0).due()
