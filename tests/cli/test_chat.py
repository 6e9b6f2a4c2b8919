"""``lighten chat`` as a person types it, as a script pipes it, and through a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from lighten.cli import chat
from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, ModelError
from lighten.store.decode import decode
from lighten.verbs.schema import kind_of

pytestmark = pytest.mark.usefixtures("fakes")

TEMPLATE = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<end>{% endfor %}[assistant]"
SHOW = "what do you see?"
PATIENCE = 60.0
"""Seconds for what comes at once; a test that fails takes so long."""

app = typer.Typer()
app.command()(chat.command)


def parrot(folder: Path, template: str = TEMPLATE, **settings: Any) -> str:
    folder.mkdir(parents=True)
    (folder / "parrot.txt").write_text("Polly")
    given = {"engine": {"use": "parrot", **settings}, **({"chat_template": template} if template else {})}
    return str(Artifact.seal(folder, format="parrot", meta=given).path)


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, words, input=text)


def test_one_message_is_answered_on_stdout_and_nothing_else_is_there(tmp_path: Path) -> None:
    done = run(parrot(tmp_path / "m"), "--once", "Hello, 这 é")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "Hello, 这 é\n", "")


def test_every_option_reaches_the_model(tmp_path: Path) -> None:
    model = parrot(tmp_path / "m")
    drawn = ("--temperature", "0.5", "--top-p", "0.75", "--seed", "3", "--threads", "1")
    assert run(model, "--once", "x", *drawn).stdout == "x 0.5 0.75 3 1\n"
    assert (
        run(model, "--once", SHOW, "--system", "Be kind.", "--most", "33").stdout
        == "<bos>[system]Be kind.<end>[user]w\n"
    )


def test_json_gives_the_answer_with_its_numbers(tmp_path: Path) -> None:
    model = parrot(tmp_path / "m", "")
    done = run(model, "--once", "é\x1b[2J", "--json", "--most", "4")
    found = json.loads(done.stdout)
    assert (found["model"], found["answer"], found["ended"]) == (model, "é\x1b[", "most")
    assert (found["prompt_tokens"], found["tokens"]) == (1 + 6, 4)
    assert 0 < found["first_token_seconds"] <= found["seconds"]
    assert found["tokens_per_second"] > 0
    assert "no chat template" in found["notes"][0]
    problems: list[str] = []
    assert decode(found, kind_of("chat"), "", problems) and not problems


def test_in_a_pipe_every_line_is_a_message_of_one_conversation(tmp_path: Path) -> None:
    done = run(parrot(tmp_path / "m"), text=f"one\n\ntwo\n{SHOW}\n/reset\n{SHOW}\n/exit\nnever\n")
    assert done.exit_code == 0
    start = "[user]one<end>[assistant]one<end>[user]two<end>[assistant]two<end>"
    shown = f"[user]{SHOW}<end>[assistant]"
    assert done.stdout.splitlines() == ["one", "two", f"<bos>{start}{shown}", f"<bos>{shown}"]
    assert "forgotten" in done.stderr


def test_help_and_notes_go_to_stderr(tmp_path: Path) -> None:
    done = run(parrot(tmp_path / "m", ""), text="/help\n/hlep\n/etc/passwd?\n")
    assert done.stdout == "/etc/passwd?\n"
    for word in ("/reset", "/exit", "Ctrl-C", "There is no /hlep", "no chat template"):
        assert word in done.stderr


def test_what_cannot_be_done_is_an_error_of_lighten(tmp_path: Path) -> None:
    model = parrot(tmp_path / "m", cells=40)
    for words, text, kind, seen in (
        ((model, "--json"), "", InputError, "--json was given without --once"),
        ((model, "--once", " "), "", InputError, "empty"),
        ((model,), "x" * 50, InputError, "at most 39"),
        ((str(tmp_path / "m" / "not"),), "", ModelError, "not"),
        ((parrot(tmp_path / "bad", "{{ raise_exception('Never') }}"), "--once", "x"), "", ModelError, "Never"),
    ):
        done = run(*words, text=text)
        assert isinstance(done.exception, kind), done.output
        assert seen in str(done.exception)
        assert done.stdout == ""
    assert run(model, "--most", "0").exit_code == 2


def test_help_names_every_option() -> None:
    words = re.sub(r"\x1b\[[0-9;]*m", "", run("--help").stdout)
    for option in ("--system", "--temperature", "--top-p", "--most", "--threads", "--once", "--json"):
        assert option in words


@pytest.mark.parametrize(
    ("piece", "shown"),
    [("a\tb\n", "a\tb\n"), ("\x1b[2J\x07x\x7f\x9b", "[2Jx"), ("é 这 😀\r", "é 这 😀")],
)
def test_an_answer_cannot_steer_the_terminal(piece: str, shown: str) -> None:
    assert chat.printable(piece) == shown


def in_front() -> None:
    """Be what a terminal runs: its own, and not deaf to Ctrl-C, as what a script starts in the background is."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """``lighten chat`` in a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self.master, slave = pty.openpty()
        code = "import sys, typer; from lighten.cli import chat; typer.run(chat.command)"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
            start_new_session=True,
            preexec_fn=in_front,
        )
        os.close(slave)
        self.seen = ""

    def until(self, pattern: str) -> str:
        """What is on the screen until ``pattern``, which is taken away with it."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen, re.S)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.seen!r}"
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.seen += os.read(self.master, 4096).decode("utf-8", "replace")
                except OSError as gone:  # the terminal closes with the program
                    raise AssertionError(f"ended before {pattern!r}: {self.seen!r}") from gone
        before, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return before

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def ends(self) -> int:
        """Its exit code."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.master, 4096).decode("utf-8", "replace")
                except OSError:
                    break
        return self.process.wait(PATIENCE)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        os.close(one.master)


def test_a_session_in_a_terminal(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminals.append(screen := Terminal(parrot(tmp_path / "m", milliseconds=1)))
    assert "/help" in screen.until(">>> ")
    screen.type("Hello\n")
    assert re.search(r"Hello.*Hello\r\n.*5 tokens · [\d.]+ tokens/s · first after [\d.]+ s", screen.until(">>> "), re.S)
    screen.type("/help\n")
    assert "/reset" in screen.until(">>> ")
    screen.type("/nothing\n")
    assert "There is no /nothing" in screen.until(">>> ")
    screen.type("/reset\n")
    assert "forgotten" in screen.until(">>> ")
    screen.type(f"{SHOW}\n")
    assert f"<bos>[user]{SHOW}<end>[assistant]" in screen.until(">>> ")
    screen.type("x" * 2000 + "\n")
    assert "to do:" in screen.until(">>> $")  # too long for the context: said, and the conversation goes on
    screen.type("/exit\n")
    assert screen.ends() == 0


def test_ctrl_c_stops_the_answer_and_not_the_program(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminals.append(screen := Terminal(parrot(tmp_path / "m", milliseconds=100)))
    screen.until(">>> ")
    screen.type("A" * 3 + "b" * 800 + "\n")
    screen.until(r"b\r\n.*AAAbb")
    screen.type("\x03")
    stopped = screen.until(">>> ")
    assert "· stopped" in stopped
    assert stopped.count("b") < 800
    time.sleep(1.0)  # right behind its prompt one was lost once: readline was not waiting for keys yet, it seems
    screen.type("\x03")
    assert "Ctrl-D or /exit leaves" in screen.until(">>> ")
    screen.type("Still there?\n")
    screen.until(r"Still there\?\r\n.*Still there\?\r\n.*>>> ")
    screen.type("\x04")
    assert screen.ends() == 0


def test_sigterm_ends_the_program_in_the_middle_of_an_answer(tmp_path: Path, terminals: list[Terminal]) -> None:
    terminals.append(screen := Terminal(parrot(tmp_path / "m", milliseconds=20)))
    screen.until(">>> ")
    screen.type("A" * 3 + "b" * 800 + "\n")
    screen.until(r"b\r\n.*AAAbb")
    screen.process.send_signal(signal.SIGTERM)
    assert screen.ends() != 0
    assert "Interrupted" in screen.seen
