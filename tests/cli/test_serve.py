"""``lighten serve`` as a person types it, as far as it needs no server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lighten.cli import serve
from lighten.core.errors import InputError
from lighten.store.decode import decode
from lighten.verbs import serve as verb
from lighten.verbs.schema import kind_of

app = typer.Typer()
app.command()(serve.command)


def test_a_key_is_shown_once_on_stdout(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    done = CliRunner().invoke(app, ["--new-key", "ci", "--keys", str(keys)])
    assert done.exit_code == 0 and re.fullmatch(r"lighten-[\w-]{43}\n", done.stdout)
    assert done.stdout.strip() not in keys.read_text() and "this once" in done.stderr


def test_a_key_needs_a_file(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["--new-key", "ci"])
    assert isinstance(done.exception, InputError) and "--keys FILE" in done.exception.fix


def test_a_format_without_a_log_is_refused() -> None:
    done = CliRunner().invoke(app, ["m=runs/m", "--log-format", "text"])
    assert isinstance(done.exception, InputError) and "--log FILE" in done.exception.fix


@pytest.mark.parametrize("as_json", [False, True])
def test_every_option_reaches_the_verb_and_readiness_is_told(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    heard: dict[str, Any] = {}
    told = verb.Serving(
        "http://127.0.0.1:9", (verb.ServedVersion("m", "1", "runs/m", "0" * 64, "fake 1.0", False),), "[::1]:8"
    )

    def served(models: list[str], *, on_ready: Any, **given: Any) -> None:
        heard.update(given, models=models)
        on_ready(told)

    monkeypatch.setattr(verb, "serve", served)
    words = ["m=runs/m", "--host", "::1", "--port", "9", "--grpc-port", "8", "--replicas", "2", "--threads", "3",
             "--keys", "k", "--without-keys", "--apart", "--review", "r.db", "--limit", "batch=8", "--limit", "idle=9",
             "--operator", "anna", "--canary", "m:2=0.1", "--shadow", "m:3=0.2", "--config", "s.toml",
             "--log", "l", "--log-format", "text", "--ray", "--ray-autoscale", "1:3"]  # fmt: skip
    done = CliRunner().invoke(app, [*words, *(["--json"] if as_json else [])])
    assert done.exit_code == 0
    assert heard == {
        "models": ["m=runs/m"], "host": "::1", "port": 9, "grpc_port": 8, "replicas": 2, "threads": 3, "keys": "k",
        "without_keys": True, "apart": True, "review": "r.db", "limits": ["batch=8", "idle=9"], "log": "l",
        "log_format": "text", "operators": ["anna"], "canary": ["m:2=0.1"], "shadow": ["m:3=0.2"], "config": "s.toml",
        "ray": True, "ray_autoscale": "1:3", "guards": None,
    }  # fmt: skip
    if as_json:
        problems: list[str] = []
        decode(json.loads(done.stdout), kind_of("serve"), "serve", problems)
        assert not problems
    else:
        assert done.stdout == "" and "http://127.0.0.1:9/predict/m" in done.stderr
        assert "gRPC: [::1]:8" in done.stderr
        assert "--apart" in done.stderr
