"""How the command line ends: in pipes that close, without a home, whatever goes wrong; never with a traceback."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lighten.cli.ending import ended, explained
from lighten.core.errors import InputError, Interrupted, LightenError, NothingMet

NOBODY = """
import pwd
def nobody(*asked):
    raise KeyError("getpwuid(): uid not found")
pwd.getpwuid = nobody
"""
"""Of a container: a user id that the system has no name for, in every process."""


def lighten(
    *words: str | Path, given: bytes | None = None, **variables: str | None
) -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own; None takes a variable away."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "lighten", *map(str, words)],
        input=given,
        capture_output=True,
        timeout=300,
        env={name: value for name, value in environment.items() if value is not None},
    )


@pytest.fixture
def homeless(tmp_path: Path) -> dict[str, str | None]:
    (tmp_path / "sitecustomize.py").write_text(NOBODY)
    (tmp_path / "tmp").mkdir()
    return {"HOME": None, "LIGHTEN_HOME": None, "PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}


def test_the_version_needs_no_verb() -> None:
    done = lighten("--version")
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"lighten \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words", ["--help", "catalog", "catalog --json", "sample", "engine list"])
@pytest.mark.parametrize("both", [False, True])
def test_a_pipe_that_closes_ends_it_quietly(words: str, both: bool) -> None:
    ours, theirs = os.pipe()
    os.close(ours)  # nobody reads: the first write fails
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lighten", *words.split()],
            stdout=theirs,
            stderr=theirs if both else subprocess.PIPE,
            timeout=300,
        )
    finally:
        os.close(theirs)
    assert done.returncode == 0
    assert both or b"rror" not in done.stderr


@pytest.mark.parametrize("words", ["doctor", "engine list", "sample", "catalog", "--version"])
def test_no_home_and_an_unknown_user(words: str, homeless: dict[str, str | None]) -> None:
    done = lighten(*words.split(), **homeless)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"cannot be imported" not in done.stdout + done.stderr  # nncf looks for a home as it is imported


@pytest.mark.parametrize("words", ["optimize ~/model --data ~nobody/data.csv", "predict ~/model", "chat ~nobody/x"])
def test_a_tilde_that_stands_for_nothing_is_a_name(words: str, homeless: dict[str, str | None]) -> None:
    done = lighten(*words.split(), **homeless)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] != [] and b"Traceback" not in done.stderr
    assert b"~" in done.stderr


@pytest.mark.parametrize("words", ["sample reviews", "engine add ov-genai"])
def test_a_home_that_cannot_be_written_names_the_variable(words: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = lighten(*words.split(), HOME=str(tmp_path / "file"), LIGHTEN_HOME=None)
    assert done.returncode == 2
    assert b"LIGHTEN_HOME" in done.stderr and b"Traceback" not in done.stderr


def test_a_folder_that_another_user_put_there_is_not_trusted(tmp_path: Path, homeless: dict[str, str | None]) -> None:
    (tmp_path / "tmp" / f"lighten-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / "tmp" / f"lighten-{os.getuid()}").chmod(0o777)
    done = lighten("engine", "list", **homeless)
    assert done.returncode == 2
    assert b"not yours alone" in done.stderr and b"LIGHTEN_HOME" in done.stderr


def test_latin_1_on_standard_input_is_named_by_its_line(tmp_path: Path) -> None:
    from lighten.core.artifact import Artifact
    from lighten.nets.baselines.counts import fit_ngram

    (tmp_path / "m").mkdir()
    fit_ngram(["the film is good"] * 9, 5).save(tmp_path / "m")
    model = Artifact.seal(tmp_path / "m", format="byte-lm", meta={"asked": {"use": "text_generation"}}).path
    done = lighten("predict", model, given="the film\nun caf\xe9 noir\n".encode("latin-1"))
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: Line 2 of standard input is not UTF-8: byte 0xe9 at place 7")
    assert b"iconv" in done.stderr
    assert lighten("predict", model, given="\ufeffthe film\r\nun caf\xe9\n".encode()).returncode == 0


CRASH = """
import sys
from lighten import cli
from lighten.verbs import doctor
def broken(*given, **options):
    {body}
doctor.doctor = broken
cli.main(["doctor"])
"""


def crash(body: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    program = textwrap.dedent(CRASH).format(body=body)
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(tmp_path), **variables},
    )


def test_what_nobody_foresaw_is_short_and_leaves_its_traceback_in_a_file(tmp_path: Path) -> None:
    done = crash("raise ZeroDivisionError('[red]seven[/red] by nothing')", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "ZeroDivisionError: [red]seven[/red] by nothing" in done.stderr
    (kept,) = tmp_path.glob("lighten-error-*.txt")
    assert str(kept) in done.stderr and "LIGHTEN_DEBUG=1" in done.stderr
    assert "Traceback" in kept.read_text() and kept.stat().st_mode & 0o077 == 0


def test_debug_shows_it_whole(tmp_path: Path) -> None:
    done = crash("raise ZeroDivisionError('seven by nothing')", tmp_path, LIGHTEN_DEBUG="1")
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_an_interruption_is_one_line(tmp_path: Path) -> None:
    done = crash("raise KeyboardInterrupt", tmp_path)
    assert (done.returncode, done.stderr) == (130, "Error: Interrupted.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 1, "The disk is full (/data/x)"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 2, "Not allowed (/data/x)"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), 2, "Not allowed (/x)"),
        (OSError(errno.EMFILE, "Too many open files"), 1, "ulimit -n"),
        (OSError(errno.EIO, "Input/output error", "/mnt/x"), 1, "does not answer (/mnt/x)"),
        (MemoryError(), 1, "not enough memory"),
        (UnicodeDecodeError("utf-8", b"caf\xe9", 3, 4, "unexpected end"), 2, "byte 0xe9 at place 3"),
    ],
)
def test_what_is_out_of_our_hands_has_words_of_its_own(error: Exception, code: int, says: str) -> None:
    found = explained(error)
    assert says in str(found) and found.fix
    assert found.exit_code == code


def test_an_error_of_ours_keeps_its_own_words_whatever_it_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    for ours, code in ((InputError("seen"), 2), (Interrupted("kept"), 130), (NothingMet("nothing"), 3)):
        for cause in (BrokenPipeError(), KeyboardInterrupt()):
            ours.__cause__ = cause
            assert ended(ours) == code
            assert capsys.readouterr().err == f"Error: {ours}\n"


def test_long_words_of_a_user_are_neither_wrapped_nor_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    name = "[bold]" + "a very long name " * 30 + "[/nothing]"
    assert ended(LightenError(f"There is no {name}.")) == 1
    assert capsys.readouterr().err == f"Error: There is no {name}.\n"
