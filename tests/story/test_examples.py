"""The programs in ``examples/`` run as they stand, on little data."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lighten.testing.require import require
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_language import tiny_documents, tiny_gguf
from lighten.testing.tiny_pictures import LABELS, tiny_pictures

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SAID = {"winner", "nothing_met", "missed", "unproved"}


def run(name: str, *words: str | Path, cwd: Path) -> list[str]:
    """Run an example, which must succeed; the lines that it printed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=cwd,
        env={**os.environ},
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()


def test_every_example_has_its_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.py"))


def test_a_network_for_pictures_from_preparation_to_answers(tmp_path: Path) -> None:
    lines = run("cnn_pictures.py", "--count", "600", "--epochs", "4", "--time", "20s", "--out", "run", cwd=tmp_path)
    assert any(line.startswith("trained: accuracy ") for line in lines)
    assert sum(line.split("/")[0] in ("circle", "square", "triangle") for line in lines) == 3
    assert (tmp_path / "run" / "cheaper" / "report.html").is_file()


@pytest.mark.parametrize("name", ["cnn_digits.py", "dense_digits.py"])
def test_networks_for_digits(tmp_path: Path, name: str) -> None:
    rows = tiny_pictures(tmp_path / "all", 600, channels=1)
    for item, target in zip(rows.inputs, rows.targets, strict=True):
        (tmp_path / "data" / LABELS[target]).mkdir(parents=True, exist_ok=True)
        shutil.move(item.path, tmp_path / "data" / LABELS[target])  # type: ignore[union-attr]
    lines = run(name, "--data", "data", "--epochs", "3", "--time", "15s", "--out", "run", cwd=tmp_path)
    assert lines[-1].split()[1].rstrip(";") in SAID
    if name == "dense_digits.py":
        assert (tmp_path / "run" / "history.svg").read_text(encoding="utf-8").count("<polyline") == 2


def test_bert_for_sentiment(tmp_path: Path) -> None:
    tiny_network_folder(tmp_path / "bert", labels=None)
    rows = toy_rows(900)
    with (tmp_path / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(
            (text, ("bad", "good")[target]) for text, target in zip(rows.inputs, rows.targets, strict=True)
        )
    given = ("--model", "bert", "--data", "reviews.csv", "--epochs", "2", "--time", "20s", "--out", "run")
    lines = run("bert_sentiment.py", *given, cwd=tmp_path)
    assert any(line.startswith("accuracy ") for line in lines)
    assert all(line.split()[0] in ("good", "bad") for line in lines[-3:])


def test_the_next_word(tmp_path: Path) -> None:
    require(find_spec("xllamacpp") and find_spec("gguf"), "llama.cpp (pip install 'lighten[llama]')")
    tiny_gguf("llama", tmp_path / "model")
    texts = tiny_documents(420).inputs
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    given = ("--model", "model/gguf", "--data", "texts.jsonl", "--say", "ba ko", "--candidates", "6", "--out", "run")
    lines = run("next_word.py", *given, cwd=tmp_path)
    assert [line.split()[0] for line in lines[:3]] == ["LSTM", "n-gram", "hidden"]
    names = " ".join(lines[3:])
    assert "bits/byte" in names and "ngram" in names
