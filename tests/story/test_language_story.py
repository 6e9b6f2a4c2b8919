"""The story of a language model, with a tiny one on text made up here: from a GGUF file to a winner that talks."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import lighten
from lighten.store.summaries import load_summary, summary_from
from lighten.testing.require import require
from lighten.testing.tiny_language import tiny_documents, tiny_gguf


def command(*words: str | Path, expect: int = 0) -> str:
    """Run the command line, check its exit code and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "lighten", *map(str, words)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, documents, labelled rows, and a finished run on the documents."""
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")
    folder = tmp_path_factory.mktemp("language")
    tiny_gguf("llama", folder / "model")
    for name, texts in (("documents", tiny_documents(420).inputs), ("new", tiny_documents(120, seed=5).inputs)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    rng = random.Random(0)
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "mood"])
        writer.writerows((text[:40], rng.choice(("good", "bad"))) for text in tiny_documents(60, seed=1).inputs)
    out = command(
        "optimize", folder / "model" / "gguf", "--task", "text-generation", "--data", folder / "documents.jsonl",
        "--keep", "bits_per_byte<=+5%", "--minimize", "size", "--candidates", "5", "--out", folder / "run", "--json",
    )  # fmt: skip
    (folder / "stdout.json").write_text(out, encoding="utf-8")
    return folder


def test_a_file_becomes_a_smaller_one_that_is_proved_on_documents(told: Path) -> None:
    summary = summary_from(json.loads((told / "stdout.json").read_text(encoding="utf-8")))
    assert summary.state == "winner"
    assert summary.winner is not None
    assert [verdict["state"] for verdict in summary.verdicts] == ["holds"]
    assert summary.winner.ratio["size"] > 2
    names = " ".join(candidate.name for candidate in summary.candidates)
    assert "ngram" in names  # the cheap baselines stand on the same chart
    assert summary.continuations
    page = (told / "run" / "report.html").read_text(encoding="utf-8")
    assert summary.continuations[0].prompt[:20] in page


def test_the_winner_talks_scores_and_is_compared(told: Path) -> None:
    assert command("chat", told / "run", "--once", "ba ko", "--most", "8").strip()
    with lighten.load(told / "run") as model:
        (found,) = model.predict([tiny_documents(1, seed=9).inputs[0]])
    assert 0.0 < found.measures["bits_per_byte"] < 16.0
    original = load_summary(told / "run" / "summary.json").paths["original"]
    again = command("compare", original, told / "run", "--data", told / "new.jsonl", "--margin", "5%", "--json")
    assert json.loads(again)["verdicts"][0]["state"] == "holds"
    command("compare", original, told / "run", "--data", told / "documents.jsonl", expect=2)  # it learned from them


def test_the_ladder_has_language_meters(told: Path) -> None:
    original = load_summary(told / "run" / "summary.json").paths["original"]
    out = command(
        "bench", original, told / "run", "--data", told / "documents.jsonl", "--seconds", "1", "--documents", "4",
        "--json",
    )  # fmt: skip
    record = json.loads(out)
    assert {"tpot", "decode16", "ttft", "prefill", "memory", "size", "bits_per_byte"} <= {
        result["meter"] for result in record["results"][str(told / "run")]
    }


def test_choices_are_answered_by_likelihood_behind_examples(told: Path) -> None:
    out = command(
        "optimize", told / "model" / "gguf", "--task", "text-generation", "--data", told / "rows.csv",
        "--prompt", "Text: {text}\nMood:", "--choices", "good,bad", "--shots", "2", "--keep", "accuracy>=-60pt",
        "--minimize", "size", "--candidates", "1", "--out", told / "choices", "--json",
    )  # fmt: skip
    summary = summary_from(json.loads(out))
    assert {"accuracy", "flips"} <= set(summary.candidates[0].results)
