"""``lighten versions`` as a person types it, as far as it needs no server."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lighten.cli import versions
from lighten.serve.shadow import Disagreement
from lighten.serve.traffic import Share
from lighten.serve.versions import ModelVersions, VersionState
from lighten.verbs import versions as verb

app = typer.Typer()
app.command()(versions.command)
TOLD = verb.Versions(
    (
        ModelVersions(
            "m", "1", "", Share("2", 0.1), None,
            (
                VersionState("1", "ready", "", ("serves",), "fake", "a" * 64, ("even", "odd"), 12_000_000, 0, 1234),
                VersionState("2", "unloaded", "weights.bin is not what was sealed.", ("canary",)),
            ),
            Disagreement("1", "2", 40, 40, 2, 0.05, 0.001, 0.2, 0.95, {"full": 3}),
        ),
    )
)  # fmt: skip


def test_every_option_reaches_the_verb_and_the_answer_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[str, Any] = {}

    def asked(name: str, **given: Any) -> verb.Versions:
        heard.update(given, name=name)
        return TOLD

    monkeypatch.setattr(verb, "versions", asked)
    monkeypatch.setenv("COLUMNS", "200")
    words = ["m", "--at", "http://x:1", "--serve", "1", "--canary", "2=0.1", "--shadow", "none", "--rollback",
             "--load", "2", "--unload", "3"]  # fmt: skip
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and heard == {
        "name": "m", "at": "http://x:1", "serve": "1", "canary": "2=0.1", "shadow": "none", "rollback": True,
        "load": "2", "unload": "3",
    }  # fmt: skip
    for told in ("serves", "canary 0.1", "1,234", "12 MB", "unloaded (weights.bin is not what was sealed.)",
                 "2 answers 5.00% of the inputs of 40 requests differently from 1: at least 0.10%, at most 20.00%",
                 "3 were left out"):  # fmt: skip
        assert told in " ".join(done.stdout.split()), told
    assert json.loads(CliRunner().invoke(app, ["--json"]).stdout) == json.loads(json.dumps(TOLD.to_json()))


def test_a_shadow_that_was_asked_nothing_says_so() -> None:
    assert "asked nothing yet" in versions.line_of(Disagreement("1", "2", 0, 0, 0, 0.0, 0.0, 1.0, 0.95, {}))
