"""Models measured side by side: what is asked of them follows from their kind; one that fails stops no other."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, InputError, SessionCrashed
from lighten.testing.fake import fake_artifact
from lighten.verbs.bench import bench

from .conftest import CHOSEN, PROMPT, Counted, document

pytestmark = pytest.mark.usefixtures("fake_engine")


def broken(folder: Path, **meta: object) -> Path:
    """A fake model that dies as soon as it is asked."""
    fake_artifact(folder)
    engine = {"use": "fake", "fault": "exit", "at": "run"}
    return Artifact.seal(folder, format="fake", meta={"labels": ["even", "odd"], "engine": engine, **meta}).path


def test_language_models_are_measured_as_such_with_bits_per_byte(
    counted: Counted, documents: Path, tmp_path: Path
) -> None:
    good, worse = counted("good", order=5), counted("worse", order=1)
    mute = broken(tmp_path / "mute", task="text_generation")
    found = bench([good, worse, mute], documents, documents=10, seconds=0.1, threads=1)
    results = {name: {r.meter: r for r in every} for name, every in found.results.items()}
    assert set(results) == {str(good), str(worse)}
    assert "no language model" in found.failed[str(mute)]
    speeds = {"tpot", "decode", "ttft", "decode4", "decode16", "prefill", "memory", "size", "load", "rows_per_second"}
    assert speeds <= set(results[str(good)]), "and none of single requests, which nobody sends as documents"
    assert "p50" not in results[str(good)]
    bits = [results[str(model)]["bits_per_byte"] for model in (good, worse)]
    assert bits[0].value is not None and bits[1].value is not None and bits[0].value < bits[1].value
    assert bits[0].n == 10
    assert results[str(good)]["token_flips"].value == 0.0
    assert results[str(worse)]["decode"].ratio is not None
    json.dumps(found.to_json())


def test_choices_are_asked_with_their_prompt_and_need_no_labels(
    counted: Counted, moods: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("place",), *((f"place {i}{'yn'[i % 2]}",) for i in range(20))])
    one = counted("one", moods, 8, asked=CHOSEN, data={"prompt": PROMPT}, labels=["good", "bad"])
    other = counted("other", moods, 1)
    found = bench([one, other], path, seconds=0.1, threads=1)
    results = {name: {r.meter: r.value for r in every} for name, every in found.results.items()}
    assert results[str(one)]["flips"] == 0.0 and results[str(other)]["flips"] == 0.5
    assert results[str(one)]["p50"] is not None and "bits_per_byte" not in results[str(one)]
    quick = bench([one], path, documents=0, seconds=0.1, threads=1)
    assert "flips" not in {r.meter for r in quick.results[str(one)]}


def test_classifiers_are_measured_as_before(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text\n" + "".join(f"{document(i)}\n" for i in range(80)))
    model, dies = fake_artifact(tmp_path / "m").path, broken(tmp_path / "dies")
    found = bench([model, dies], path, seconds=0.1, threads=1)
    meters = {r.meter for r in found.results[str(model)]}
    assert {"p50", "rows_per_second", "memory", "size", "load", "cpu"} <= meters
    assert not {"decode", "bits_per_byte", "flips"} & meters
    assert "the fake leaves" in found.failed[str(dies)]
    with pytest.raises(SessionCrashed):
        bench([dies, model], path, seconds=0.1, threads=1)


def test_what_cannot_be_measured_together_is_refused(counted: Counted, documents: Path, tmp_path: Path) -> None:
    language, classifier = counted("l"), fake_artifact(tmp_path / "c").path
    with pytest.raises(InputError, match="Two kinds of models"):
        bench([language, classifier], documents)
    with pytest.raises(InputError, match="some of them twice"):
        bench([language, language], documents)
    with pytest.raises(InputError, match="--documents is -1"):
        bench([language], documents, documents=-1)
    empty = tmp_path / "e.jsonl"
    empty.write_text('{"text": " "}\n{"text": ""}\n')
    with pytest.raises(DataError, match="has no inputs"):
        bench([language], empty, text="text")
