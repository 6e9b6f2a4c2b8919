"""What the README shows can be run: every command exists with its options, every Python fence runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from typer.main import get_command

from lighten.cli import app
from lighten.core.errors import ModelError

ROOT = Path(__file__).parent.parent.parent
PAGES = ("README.md", "README.zh-CN.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.S | re.M)


def fences(language: str) -> list[tuple[str, str]]:
    """(page, text) of every fence in a language."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        found += [(page, body) for kind, body in FENCE.findall(text) if kind == language]
    return found


def commands() -> list[tuple[str, str]]:
    """(page, command) of every line that starts with ``lighten`` in a shell fence, continued lines joined."""
    found = []
    for page, body in fences("sh"):
        joined = body.replace("\\\n", " ")
        found += [(page, line.strip()) for line in joined.splitlines() if line.strip().startswith("lighten ")]
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_parses(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    verbs = get_command(app).commands  # type: ignore[attr-defined]
    assert words[0] in verbs, f"{page}: {line}"
    verb = verbs[words[0]]
    verb.make_context(words[0], words[1:])  # raises for an option or argument that does not exist


@pytest.mark.parametrize("verb", sorted(get_command(app).commands))  # type: ignore[attr-defined]
def test_every_verb_explains_itself(verb: str) -> None:
    done = CliRunner().invoke(get_command(app), [verb, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output


@pytest.mark.parametrize(("page", "body"), fences("python"))
def test_every_python_fence_runs(page: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="not an artifact"):  # the reader has that run
        exec(compile(body, page, "exec"), {})


def test_the_make_targets_that_the_pages_name_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page in PAGES:
        named = set(re.findall(r"\bmake (\w+)", (ROOT / page).read_text(encoding="utf-8")))
        assert named, page
        assert named <= targets, f"{page} names {named - targets}"


def test_both_pages_show_the_same_commands() -> None:
    english, chinese = ([shlex.split(line, comments=True) for p, line in commands() if p == page] for page in PAGES)
    assert english == chinese  # comments are in each page's own language
