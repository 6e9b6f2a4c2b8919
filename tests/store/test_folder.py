"""A run folder is made, taken up or refused; never mixed up, never half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lighten.core.errors import RunFolderError
from lighten.core.result import Candidate
from lighten.core.rows import Parts, Rows
from lighten.store.folder import MANIFEST, RunFolder, load_parts, save_parts, write_whole

ASKED: dict[str, Any] = {"model": "sample:minilm", "keep": ["accuracy>=-1pt"], "seed": 0, "label": None, "näme": "ü"}


def opened(path: Path, asked: dict[str, Any] | None = None, *, resume: bool = False) -> RunFolder:
    return RunFolder.open(path, ASKED if asked is None else asked, resume=resume)


def refused(path: Path, asked: dict[str, Any] | None = None, *, resume: bool = False) -> RunFolderError:
    with pytest.raises(RunFolderError) as caught:
        opened(path, asked, resume=resume).close()
    return caught.value


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "reviews"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """fsync finds the disk full."""

    def fsync(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield


@pytest.mark.parametrize("there", [False, True])
def test_a_fresh_run(out: Path, there: bool) -> None:
    if there:
        out.mkdir(parents=True)
    folder = opened(out)
    assert folder.path == out
    assert json.loads((out / MANIFEST).read_text(encoding="utf-8")) == ASKED
    assert (out / "store").is_dir()
    folder.close()


def test_a_resumed_run_has_what_was_finished(out: Path) -> None:
    first = opened(out)
    first.study.save(Candidate(0, "x", (), "ort"))
    first.store.put("k", lambda folder: (folder / "a").write_text("x") and {"format": "hf"})
    (out / "store" / "half.1.part").mkdir()
    (out / ".summary.json.99.part").write_text("{")
    (out / ".winner.part").mkdir()
    first.close()
    second = opened(out, resume=True)
    assert [c.name for c in second.study.candidates()] == ["x"]
    assert second.store.get("k") is not None
    second.close()
    assert not list(out.rglob("*.part"))


def test_tuples_and_lists_ask_the_same(out: Path) -> None:
    asked = {**ASKED, "keep": ("accuracy>=-1pt",), "columns": {"pair": (1, 2)}}
    opened(out, asked).close()
    opened(out, asked, resume=True).close()


def test_a_run_is_not_overwritten(out: Path) -> None:
    opened(out).close()
    error = refused(out)
    assert "holds a run already" in str(error)
    assert f"lighten resume {out}" in error.fix


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({**ASKED, "seed": 1}, "seed was 0 and is now 1"),
        ({**ASKED, "keep": []}, "keep was ['accuracy>=-1pt'] and is now []"),
        ({**ASKED, "group": "domain"}, "group was None and is now 'domain'"),
        ({k: v for k, v in ASKED.items() if k != "näme"}, "näme was 'ü' and is now None"),
    ],
)
def test_resuming_something_else_says_what_changed(out: Path, changed: dict[str, Any], says: str) -> None:
    opened(out).close()
    before = (out / MANIFEST).read_bytes()
    error = refused(out, changed, resume=True)
    assert says in str(error)
    assert "model" not in str(error)
    assert (out / MANIFEST).read_bytes() == before


def test_a_value_that_is_none_is_a_value_not_given(out: Path) -> None:
    opened(out).close()
    opened(out, {k: v for k, v in ASKED.items() if v is not None}, resume=True).close()


def test_nothing_to_resume(out: Path) -> None:
    assert "there is no run" in str(refused(out, resume=True))
    assert not out.exists()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["holiday.jpg", ".config", ".winner.part", "store"])
def test_foreign_files_are_left_alone(out: Path, resume: bool, name: str) -> None:
    out.mkdir(parents=True)
    (out / name).write_text("x")
    assert "files that are not a run" in str(refused(out, resume=resume))
    assert [p.name for p in out.iterdir()] == [name]


def test_a_file_is_no_folder(out: Path) -> None:
    out.parent.mkdir()
    out.write_text("x")
    assert "is a file" in str(refused(out))
    below = refused(out / "deeper")
    assert "reviews" in str(below)
    assert out.read_text() == "x"


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_a_damaged_manifest_is_named(out: Path, text: str) -> None:
    opened(out).close()
    (out / MANIFEST).write_text(text)
    assert "manifest.json is damaged" in str(refused(out, resume=True))


def test_a_damaged_study_is_named_and_the_lock_given_back(out: Path) -> None:
    opened(out).close()
    (out / "study.db").write_bytes(b"junk" * 1000)
    assert "study.db" in str(refused(out, resume=True))
    for rest in out.glob("study.db*"):
        rest.unlink()
    opened(out, resume=True).close()


def test_a_run_killed_before_its_manifest_starts_afresh(out: Path) -> None:
    out.mkdir(parents=True)
    (out / ".lock").touch()
    (out / ".manifest.json.4711.part").write_text('{"mod')
    opened(out).close()
    assert not list(out.glob(".*.part"))


HOLDER = """
import json, sys
from pathlib import Path
from lighten.store.folder import RunFolder
folder = RunFolder.open(Path(sys.argv[1]), json.loads(sys.argv[2]), resume=False)
print("open", flush=True)
sys.stdin.read()
"""


def test_two_processes_never_share_a_folder(out: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(out), json.dumps(ASKED)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        (out / "store" / "theirs.1.part").mkdir()
        assert "Another process is working" in str(refused(out, resume=True))
        assert (out / "store" / "theirs.1.part").is_dir()
        other.kill()
        other.wait()
    folder = opened(out, resume=True)
    assert not list(out.rglob("*.part"))
    folder.close()


def test_a_run_that_another_process_began_meanwhile_is_not_taken_over(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RunFolder.check
    calls = []

    def check(path: Path, asked: dict[str, Any], *, resume: bool) -> None:
        real(path, asked, resume=resume)
        calls.append(path)
        if len(calls) == 1:  # between the look and the lock
            out.mkdir(parents=True)
            (out / MANIFEST).write_text(json.dumps({**ASKED, "seed": 7}))

    monkeypatch.setattr(RunFolder, "check", staticmethod(check))
    assert "holds a run already" in str(refused(out))
    assert json.loads((out / MANIFEST).read_text())["seed"] == 7


def test_a_full_disk_leaves_nothing_half_written(out: Path, full: None) -> None:
    assert "is full" in str(refused(out))
    assert [p.name for p in out.iterdir()] == [".lock"]


def test_after_a_full_disk_the_same_command_works(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        refused(out)
    opened(out).close()


def test_writing_keeps_the_old_file_when_the_disk_is_full(tmp_path: Path, full: None) -> None:
    path = tmp_path / "summary.json"
    path.write_text("old")
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new" * 1000)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_made(out: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(self: Path, *rest: Any, **named: Any) -> None:
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    error = refused(out)
    assert "cannot be written" in str(error)
    assert "--out" in error.fix


READ_ONLY = """
import os, sys
from pathlib import Path
from lighten.core.errors import RunFolderError
from lighten.store.folder import RunFolder
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for name in ("new", "holds", "closed", "closed/deeper", "run"):
    try:
        RunFolder.open(Path(sys.argv[1]) / name, {}, resume=name == "run")
        print("opened")
    except RunFolderError as error:
        print("refused", str(error).splitlines()[0])
"""


def test_a_folder_that_belongs_to_somebody_else() -> None:
    top = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        for name, mode in (("holds", 0o555), ("closed", 0o000), ("run", 0o555)):
            (top / name).mkdir()
            if name == "run":
                opened(top / name / "x", {}).close()
                for entry in (top / name / "x").iterdir():
                    shutil.move(entry, top / name)
                (top / name / "x").rmdir()
            (top / name).chmod(mode)
        top.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", READ_ONLY, str(top)], capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()
        assert len(lines) == 5
        assert all(line.startswith("refused") and "cannot be written" in line for line in lines), lines
    finally:
        for entry in (top, *top.iterdir()):
            entry.chmod(0o755)
        shutil.rmtree(top)


def test_a_closed_folder_can_be_opened_again_in_the_same_process(out: Path) -> None:
    folder = opened(out)
    assert "Another process" in str(refused(out, resume=True))
    folder.close()
    opened(out, resume=True).close()


def test_the_data_of_a_run_is_frozen_exactly(tmp_path: Path) -> None:
    texts = ("plain", "é 😀 \u2028", "\ud83d alone", "nul \0", "")
    rows = Rows(texts, (0, 1, 1, 0, 1), tuple("abcde"), tuple("uuvvw"), tuple(f"{i:016x}" for i in range(5)))
    parts = Parts(rows, rows.take([1, 0]), Rows(("x",), (1,)), Rows((), ()), ("né", "ja"), ("One note.",))
    save_parts(parts, tmp_path / "parts.json")
    found = load_parts(tmp_path / "parts.json")
    assert found == parts
    assert found.fingerprint == parts.fingerprint


def test_an_option_that_another_lighten_knows_was_not_asked_where_it_is_empty(out: Path) -> None:
    opened(out).close()
    assert "drop_rare was None and is now 3" in str(refused(out, {**ASKED, "drop_rare": 3}, resume=True))
    opened(out, {**ASKED, "drop_rare": 0, "labels": []}, resume=True).close()
    opened(out, resume=True).close()
