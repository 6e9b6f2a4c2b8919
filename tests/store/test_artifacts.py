"""What is made once is found again; what is half-made is never seen, whatever happened."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lighten.core.artifact import RECORD, Artifact
from lighten.core.errors import RunFolderError, StepFailed, UnsafeFile
from lighten.store.artifacts import LEAST_SHARED, ArtifactStore, disk_error, key_of, writing


def write(folder: Path) -> Mapping[str, Any]:
    (folder / "config.json").write_text("{}")
    return {"format": "hf", "meta": {"labels": ["a"]}}


def full(folder: Path) -> Mapping[str, Any]:
    (folder / "half").write_bytes(b"x")
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "deep" / "store")


def test_what_was_put_is_found(store: ArtifactStore) -> None:
    assert store.get("k") is None
    made = store.put("k", write)
    assert made.path == store.root / "k"
    assert store.get("k") == made
    assert ArtifactStore(store.root).get("k") == made
    assert [p.name for p in store.root.iterdir()] == ["k"]


def zeros(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"\0" * path.stat().st_size)


def no_record(folder: Path) -> None:
    (folder / RECORD).write_bytes(b"")


def lost(folder: Path) -> None:
    (folder / "config.json").unlink()


def changed(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


@pytest.mark.parametrize("harm", [zeros, no_record, lost, changed])
def test_what_is_broken_is_absent_and_said_once(store: ArtifactStore, harm: Callable[[Path], None]) -> None:
    said: list[str] = []
    store.told = said.append
    made = store.put("k", write)
    harm(made.path)
    assert store.get("k") is None
    assert store.get("k") is None
    assert store.find(made.id, ("hf",)) is None
    assert len(said) == 1 and said[0].startswith("k of the store was broken")
    assert store.put("k", write).id == made.id
    assert store.get("k") == made


def test_what_was_made_is_found_by_its_content(store: ArtifactStore) -> None:
    made = store.put("k", write)
    built = store.put("a", lambda folder: {**write(folder), "parent": made.id, "step": {"use": "engine fake"}})
    assert built.id == made.id
    assert store.find(made.id, ("hf",)) == built
    zeros(built.path)
    assert store.find(made.id, ("hf",)) == made
    assert store.find(made.id, ("onnx",)) is None
    assert store.find("", ("hf",)) is None


def weights(folder: Path) -> Mapping[str, Any]:
    (folder / "model.onnx").write_bytes(b"w" * LEAST_SHARED)
    (folder / "config.json").write_text("{}")
    return {"format": "onnx"}


def test_a_file_that_the_store_has_takes_no_more_room(store: ArtifactStore, tmp_path: Path) -> None:
    first, second = store.put("a", weights), store.put("b", weights)
    assert (first.path / "model.onnx").samefile(second.path / "model.onnx")
    assert not (first.path / "config.json").samefile(second.path / "config.json")
    assert store.get("a") == first and store.get("b") == second
    (tmp_path / "outside").hardlink_to(first.path / "model.onnx")  # from where it could be changed
    with pytest.raises(UnsafeFile, match="hard link"):
        Artifact.open(first.path)
    (tmp_path / "outside").unlink()
    shutil.rmtree(first.path)
    assert store.get("b") == second
    assert (second.path / "model.onnx").stat().st_nlink == 1


def test_what_would_be_linked_to_a_broken_file_stays_as_it_is(store: ArtifactStore) -> None:
    first = store.put("a", weights)
    zeros(first.path)
    Artifact.seal(first.path, format="onnx")  # the record is of what lies there: zeros
    second = store.put("b", weights)
    assert (second.path / "model.onnx").stat().st_nlink == 1
    assert store.get("b") == second


def test_links_outside_of_a_store_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "model.onnx").write_bytes(b"w")
    (tmp_path / "two" / "model.onnx").hardlink_to(tmp_path / "one" / "model.onnx")
    with pytest.raises(UnsafeFile, match="hard link"):
        Artifact.seal(tmp_path / "one", format="onnx")


def test_a_disk_without_links_keeps_copies(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, other: Path) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    store.put("a", weights)
    assert (store.put("b", weights).path / "model.onnx").stat().st_nlink == 1
    assert [p.name for p in store.root.iterdir()] in (["a", "b"], ["b", "a"])


def test_everything_is_on_the_disk_before_it_has_its_name(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_sync, real_rename = os.fsync, Path.rename

    def fsync(number: int) -> None:
        done.append(Path(f"/proc/self/fd/{number}").readlink().name)
        real_sync(number)

    def rename(path: Path, target: Path) -> Path:
        done.append(f"rename to {target.name}")
        return real_rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    store.put("k", write)
    at = done.index("rename to k")
    assert {"config.json", RECORD, f"k.{os.getpid()}.part"} <= set(done[:at])
    assert done[at + 1 :] == ["store"]


def test_an_artifact_from_elsewhere_is_adopted_whole(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "fresh").mkdir()
    made = Artifact.seal(tmp_path / "fresh", **write(tmp_path / "fresh"))
    (store.root / "model").mkdir()  # what a broken run left
    adopted = store.adopt("model", made)
    assert adopted.id == made.id and adopted.path == store.root / "model"
    assert not made.path.exists()


def test_putting_again_replaces_the_whole(store: ArtifactStore) -> None:
    store.put("k", write)

    def other(folder: Path) -> Mapping[str, Any]:
        (folder / "other.json").write_text("{}")
        return {"format": "hf"}

    assert set(store.put("k", other).files) == {"other.json"}
    assert sorted(p.name for p in (store.root / "k").iterdir()) == [RECORD, "other.json"]
    assert [p.name for p in store.root.iterdir()] == ["k"]


def test_a_failing_replacement_leaves_the_old_one(store: ArtifactStore) -> None:
    made = store.put("k", write)
    with pytest.raises(RunFolderError):
        store.put("k", full)
    assert store.get("k") == made
    assert [p.name for p in store.root.iterdir()] == ["k"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_half_written(store: ArtifactStore, code: int) -> None:
    def overfull(folder: Path) -> Mapping[str, Any]:
        (folder / "half").write_bytes(b"x")
        raise OSError(code, os.strerror(code))

    with pytest.raises(RunFolderError, match="is full") as caught:
        store.put("k", overfull)
    assert "--resume" in caught.value.fix
    assert not list(store.root.iterdir())


def test_a_disk_that_is_full_while_sealing_leaves_nothing(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_text

    def write_text(path: Path, *rest: Any, **named: Any) -> int:
        if path.name == RECORD:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, *rest, **named)

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(RunFolderError, match="is full"):
        store.put("k", write)
    assert not list(store.root.iterdir())


@pytest.mark.parametrize("text", ["I/O error: No space left on device (os error 28)", "write failed (os error 28)"])
def test_a_library_that_hits_the_full_disk_is_understood(store: ArtifactStore, text: str) -> None:
    def rust(folder: Path) -> Mapping[str, Any]:
        raise RuntimeError(text)

    with pytest.raises(RunFolderError, match="is full"):
        store.put("k", rust)
    assert not list(store.root.iterdir())


@pytest.mark.parametrize(
    "error", [StepFailed("x"), RuntimeError("x"), KeyboardInterrupt(), FileNotFoundError(errno.ENOENT, "lib.so")]
)
def test_any_other_error_is_passed_on_and_leaves_nothing(store: ArtifactStore, error: BaseException) -> None:
    def failing(folder: Path) -> Mapping[str, Any]:
        (folder / "half").write_bytes(b"x")
        raise error

    with pytest.raises(type(error)) as caught:
        store.put("k", failing)
    assert caught.value is error
    assert not list(store.root.iterdir())


def test_what_is_unsafe_is_not_kept(store: ArtifactStore) -> None:
    def pickled(folder: Path) -> Mapping[str, Any]:
        (folder / "pytorch_model.bin").write_bytes(b"x")
        return {"format": "hf"}

    with pytest.raises(UnsafeFile):
        store.put("k", pickled)
    assert not list(store.root.iterdir())


KILLED = """
import sys, time
from pathlib import Path
from lighten.store.artifacts import ArtifactStore

def slow(folder):
    (folder / "half.safetensors").write_bytes(b"x" * 1000)
    print("writing", flush=True)
    time.sleep(60)

ArtifactStore(Path(sys.argv[1])).put("k", slow)
"""


def test_kill_9_in_the_middle_leaves_only_a_part_that_sweep_removes(store: ArtifactStore) -> None:
    kept = store.put("before", write)
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    left = sorted(p.name for p in store.root.iterdir())
    assert len(left) == 2
    assert left[1].startswith("k.")
    assert left[1].endswith(".part")
    again = ArtifactStore(store.root)
    assert again.get("k") is None
    again.sweep()
    assert [p.name for p in store.root.iterdir()] == ["before"]
    assert again.get("before") == kept
    assert again.put("k", write).path.is_dir()


def test_a_part_of_an_earlier_process_with_our_number_is_no_obstacle(store: ArtifactStore) -> None:
    part = store.root / f"k.{os.getpid()}.part"
    part.mkdir()
    (part / "half").write_text("x")
    assert set(store.put("k", write).files) == {"config.json"}


def test_sweep_removes_parts_of_any_shape_and_nothing_else(store: ArtifactStore, tmp_path: Path) -> None:
    store.put("k", write)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    (store.root / "a.1.part").mkdir()
    (store.root / "b.part").write_text("x")
    (store.root / "c.part").symlink_to(tmp_path / "mine")
    store.sweep()
    assert [p.name for p in store.root.iterdir()] == ["k"]
    assert (tmp_path / "mine" / "file").is_file()


def test_keys_tell_apart_whatever_makes_an_artifact() -> None:
    key = key_of(step={"use": "x", "keep": 0.5}, seed=0)
    assert key == key_of(seed=0, step={"keep": 0.5, "use": "x"})
    others = [key_of(step={"use": "x", "keep": 0.25}, seed=0), key_of(step={"use": "x", "keep": 0.5}, seed=1)]
    assert len({key, *others, key_of(), key_of(text="\ud800 é")}) == 5
    assert len(key) == 32
    with pytest.raises(TypeError):
        key_of(path=Path())


def test_disk_errors_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=12_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage if Path(place).exists() else 1 / 0)
    nowhere = tmp_path / "not" / "yet"
    assert "12 MB free" in str(disk_error(OSError(errno.ENOSPC, "x"), nowhere))
    denied = disk_error(OSError(errno.EROFS, "Read-only file system", "/mnt/x"), nowhere)
    assert "/mnt/x cannot be written (Read-only file system)" in str(denied)
    assert "--out" in denied.fix
    assert isinstance(disk_error(OSError("odd"), nowhere), RunFolderError)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), RunFolderError, "The disk of .* is full"),
        (PermissionError(errno.EACCES, "Permission denied"), RunFolderError, "cannot be written"),
        (ValueError("I/O error: No space left on device (os error 28)"), RunFolderError, "is full"),
        (FileNotFoundError(errno.ENOENT, "No such file"), FileNotFoundError, "No such file"),
        (ValueError("of something else"), ValueError, "of something else"),
    ],
)
def test_a_disk_that_cannot_be_written_is_told_from_other_errors(
    tmp_path: Path, error: Exception, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words), writing(tmp_path):
        raise error
