"""Options reach the comparison, and the exit code is its verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lighten.cli import bench, compare
from lighten.core.artifact import Artifact
from lighten.nets.baselines.counts import fit_ngram

TEXTS = [f"the {w} mill number {i} was sold in spring" for i in range(40) for w in ("old", "new", "red")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for order in (1, 5):
        (tmp_path / str(order)).mkdir()
        fit_ngram(TEXTS, order).save(tmp_path / str(order))
        Artifact.seal(tmp_path / str(order), format="byte-lm")
    lines = [json.dumps({"text": f"the old mill number {i} was painted in spring"}) for i in range(40, 90)]
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    return tmp_path


def run(command: object, *words: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout


def test_the_exit_code_is_the_verdict(folder: Path) -> None:
    data = ("--data", folder / "new.jsonl", "--threads", "1")
    code, said = run(compare.command, folder / "1", folder / "5", *data, "--margin", "2%", "--metric", "bpb", "--json")
    (verdict,) = json.loads(said)["verdicts"]
    assert (code, verdict["state"], verdict["metric"]) == (0, "holds", "bits_per_byte")
    assert verdict["margin"] == pytest.approx(0.02 * verdict["original"])
    code, said = run(compare.command, folder / "5", folder / "1", *data)
    assert code == 3 and "worse" in said


def test_bench_prints_the_ladder(folder: Path) -> None:
    words = (folder / "5", folder / "1", "--data", folder / "new.jsonl", "--threads", "1", "--seconds", "1")
    code, said = run(bench.command, *words, "--documents", "7", "--json")
    results = json.loads(said)["results"]
    assert code == 0 and list(results) == [str(folder / "5"), str(folder / "1")]
    assert next(r for r in results[str(folder / "1")] if r["meter"] == "bits_per_byte")["n"] == 7
