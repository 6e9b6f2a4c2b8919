"""The story that a user lives, with a tiny network on sentences made up here: every verb, in a real command line."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lighten
from lighten.store.summaries import load_summary, summary_from
from lighten.testing.studies import finished
from lighten.testing.tiny import BAD, GOOD, PLAIN, tiny_network_folder

ROWS = 1600


def command(*words: str | Path, expect: int = 0, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "lighten", *map(str, words)], capture_output=True, text=True, timeout=600, input=text
    )
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def sentences(path: Path, seed: int = 0, rows: int = ROWS) -> Path:
    """A csv whose label follows from its words, in two groups; a tenth of the labels are wrong."""
    rng = random.Random(seed)
    seen = set()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "sentiment", "domain"])
        while len(seen) < rows:
            good = rng.random() < 0.5
            words = [rng.choice(PLAIN) for _ in range(rng.randint(3, 9))] + rng.choices(GOOD if good else BAD, k=2)
            rng.shuffle(words)
            sentence = " ".join(words)
            if sentence in seen:
                continue
            seen.add(sentence)
            label = good if rng.random() < 0.9 else not good
            writer.writerow([sentence, "positive" if label else "negative", rng.choice(["film", "book"])])
    return path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its model and data."""
    folder = tmp_path_factory.mktemp("story")
    tiny_network_folder(folder / "model", layers=2, labels=None)
    sentences(folder / "reviews.csv")
    done = command(
        "optimize", folder / "model", "--data", folder / "reviews.csv", "--keep", "accuracy>=-3pt",
        "--minimize", "size", "--candidates", "3", "--engines", "ort", "--out", folder / "run", "--json",
    )  # fmt: skip
    (folder / "stdout.json").write_text(done.stdout, encoding="utf-8")
    return folder


def test_optimize_finds_a_winner_and_leaves_everything(told: Path) -> None:
    record = json.loads((told / "stdout.json").read_text(encoding="utf-8"))
    summary = summary_from(record)
    assert summary.state == "winner"
    assert summary.winner is not None
    assert all(verdict["state"] == "holds" for verdict in summary.verdicts)
    assert summary.winner.ratio["size"] > 1
    assert summary.winner.ratio["rows_per_second"] > 0
    run = told / "run"
    for name in ("report.html", "results.jsonl", "run.toml", "summary.json", "study.db", "winner/README.md"):
        assert (run / name).stat().st_size > 0, name
    rows = [json.loads(line) for line in (run / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["candidate"] for row in rows} == {c.key for c in summary.candidates}
    assert [link.step.get("use", "") for link in summary.lineage][:2] == ["", "train.full"]
    assert {group.name for group in summary.groups} == {"film", "book"}


def test_load_and_predict_agree(told: Path) -> None:
    texts = ["the film was lovely and superb", "a boring and dreadful plot"]
    with lighten.load(told / "run") as model:
        answers = model.predict(texts)
    assert [answer.label for answer in answers] == ["positive", "negative"]
    assert all(abs(sum(answer.scores.values()) - 1) < 1e-6 for answer in answers)
    done = command("predict", told / "run" / "winner", "--json", text="\n".join(texts) + "\n")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["positive", "negative"]


def test_compare_proves_it_on_other_data(told: Path) -> None:
    other = sentences(told / "other.csv", seed=1)
    original = load_summary(told / "run" / "summary.json").paths["original"]
    done = command("compare", original, told / "run", "--data", other, "--margin", "3pt", "--json")
    record = json.loads(done.stdout)
    assert record["verdicts"][0]["state"] == "holds"
    assert record["n"] == ROWS
    assert len(record["groups"]) == 2
    shown = command("compare", original, told / "run", "--data", other, "--margin", "3pt")
    assert "holds" in shown.stdout


def test_bench_measures_side_by_side(told: Path) -> None:
    done = command(
        "bench", told / "run", told / "run" / "winner", "--data", told / "reviews.csv", "--seconds", "1", "--json"
    )
    record = json.loads(done.stdout)
    assert len(record["results"]) == 2
    assert {"p50", "rows_per_second", "memory", "size", "load", "cpu"} <= {
        r["meter"] for r in record["results"][str(told / "run")]
    }


def test_report_is_written_again_and_apply_makes_the_winner_again(told: Path) -> None:
    page = told / "again.html"
    command("report", told / "run", "--out", page)
    assert page.read_text(encoding="utf-8").startswith("<!")
    command("apply", told / "run" / "run.toml", "--out", told / "remade")
    texts = ["a superb story", "the awful music"]
    with lighten.load(told / "run") as first, lighten.load(told / "remade") as second:
        assert [a.label for a in first.predict(texts)] == [a.label for a in second.predict(texts)]
    assert lighten.load(told / "remade").artifact.id == lighten.load(told / "run").artifact.id


def test_another_run_is_never_overwritten(told: Path) -> None:
    before = (told / "run" / "summary.json").read_bytes()
    done = command(
        "optimize", told / "model", "--data", told / "reviews.csv", "--out", told / "run", "--candidates", "1", expect=2
    )
    assert "holds a run already" in done.stderr
    assert (told / "run" / "summary.json").read_bytes() == before


def test_a_killed_run_is_resumed_and_repeats_nothing(told: Path) -> None:
    out = told / "killed"
    asked = ["optimize", told / "model", "--data", told / "reviews.csv", "--keep", "accuracy>=-3pt"]
    asked += ["--minimize", "size", "--candidates", "3", "--engines", "ort", "--out", out, "--json"]
    words = list(map(str, asked))
    process = subprocess.Popen(
        [sys.executable, "-m", "lighten", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    done = 0
    until = time.monotonic() + 400
    while done < 2 and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
        done = len(finished(out))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(out)
    assert before, "it was killed before it had measured anything"
    for path in (out / "parts.json", *(out / "store").rglob("*")):  # what the loss of power may leave
        if path.is_file():
            path.write_bytes(b"\0" * path.stat().st_size)
    said = command("resume", out, "--json").stderr
    assert "model is broken, and is brought again" in said
    after = finished(out)
    assert {key: after[key] for key in before} == before, "a finished candidate was measured again"
    whole, resumed = (load_summary(folder / "summary.json") for folder in (told / "run", out))
    # What is tried after the stock candidates follows from measured speeds, which no two runs share.
    stock = [
        [(c.key, c.name, c.artifact, c.value("accuracy")) for c in summary.candidates if c.role != "search"]
        for summary in (whole, resumed)
    ]
    assert stock[0] == stock[1]
    assert [c.key for c in whole.candidates] == [c.key for c in resumed.candidates]
