"""train, as a user calls it: what it leaves, what it goes on from, what it refuses, what its model is good for.

One training, and those that are killed or run a user's code, have processes of their own; the others are made in this
one, which takes a tenth of the time: what they show is not in how processes speak.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lighten
from lighten.core.artifact import Artifact
from lighten.core.errors import InputError, Interrupted, ModelError, RunFolderError, StepFailed
from lighten.core.training import TrainingResult
from lighten.data.learned import learned_in
from lighten.models.bring import find
from lighten.nets.gguf.file import FILE
from lighten.search.listener import Quiet
from lighten.testing.here import trainings_here
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_language import tiny_gguf, tiny_language, tiny_texts
from lighten.testing.tiny_modules import tiny_code
from lighten.testing.tiny_pictures import LABELS, tiny_pictures, tiny_vision_folder

PATIENCE = 600.0
"""Seconds that a test waits for what takes some ten on a quiet machine."""


def data_file(path: Path, rows: int = 240) -> Path:
    """A csv file of texts that hold a good word or a bad one, of two domains."""
    toy = toy_rows(rows, groups=True)
    with path.open("w", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["text", "label", "domain"])
        out.writerows(zip(toy.inputs, (("bad", "good")[t] for t in toy.targets), toy.groups, strict=True))
    return path


class Notes(Quiet):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.messages: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, done: float, total: float, message: str) -> None:
        self.messages.append(message)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    tiny_network_folder(folder / "net", layers=2, labels=None)
    data_file(folder / "data.csv")
    return folder


ASKED: dict[str, Any] = {
    "group": "domain", "epochs": 8, "threads": 1, "precision": "fp32", "dropout": 0.1, "seed": 4, "price": 2.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(place: Path) -> TrainingResult:
    return lighten.train(place / "net", place / "data.csv", **ASKED, out=place / "run")


@pytest.fixture(scope="module")
def again(place: Path, trained: TrainingResult) -> tuple[TrainingResult, Notes]:
    """What comes out of the first training, trained again, for a time."""
    heard = Notes()
    with trainings_here():
        result = lighten.train(
            place / "run", place / "data.csv", time="2s", epochs=10_000, threads=1, seed=ASKED["seed"],
            out=place / "again", listener=heard,
        )  # fmt: skip
    return result, heard


def digest(run: Path) -> str:
    return hashlib.sha256((run / "model" / "model.safetensors").read_bytes()).hexdigest()


def test_what_is_left_is_an_ordinary_model_with_its_curve_cost_and_score(place: Path, trained: TrainingResult) -> None:
    run = place / "run"
    assert json.loads((run / "result.json").read_text()) == json.loads(json.dumps(trained.to_json()))
    main = trained.proof[0]
    assert main.metric == "accuracy" and main.lower is not None and main.upper is not None
    assert main.lower < main.value < main.upper or main.value == 1.0
    groups = [one for one in trained.proof if one.group]
    assert {one.group for one in groups} == {"east", "west"}
    assert [one.value for one in groups] == sorted(one.value for one in groups)
    scores = [point for point in trained.curve if point.score is not None]
    assert trained.best == max(point.score for point in scores if point.score is not None)
    assert trained.curve[0].loss is not None and trained.curve[-1].step == trained.steps
    assert trained.cost.memory > 1e8 and trained.cost.cpu_seconds > 0
    assert trained.cost.money == pytest.approx(2.0 * trained.cost.seconds / 3600)
    assert not (run / "checkpoint").exists()
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "训练" in page and "By group" in page and "http-equiv" in page
    assert lighten.report(run, out=place / "again.html").read_text(encoding="utf-8") == page
    assert "lighten optimize" in (run / "model" / "README.md").read_text(encoding="utf-8")
    assert list((run / "tensorboard").iterdir())


def test_what_comes_out_goes_on_as_a_model_that_knows_its_rows(
    place: Path, trained: TrainingResult, again: tuple[TrainingResult, Notes]
) -> None:
    found = find(str(place / "run"))
    assert (found.path, found.sealed) == (place / "run" / "model", True)
    artifact = Artifact.open(found.path)
    assert artifact.meta["labels"] == ["bad", "good"]
    with lighten.load(place / "run", threads=1) as model:
        assert {one.label for one in model.predict(["a good film", "a bad film"])} <= {"bad", "good"}
    assert len(learned_in(found.path)) > 0.5 * (trained.rows["train"] + trained.rows["tune"])
    assert again[0].rows["proof"] == trained.rows["proof"]  # none of which it had learned from


def test_killed_and_resumed_it_makes_the_same_model(place: Path, trained: TrainingResult) -> None:
    asked = [word for name, value in ASKED.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "lighten", "train", str(place / "net"), "--data", str(place / "data.csv"), *asked]
    environment = {**os.environ, "LIGHTEN_CHECKPOINT_SECONDS": "0"}
    whole, killed = place / "run", place / "killed"
    with subprocess.Popen([*command, "--out", str(killed), "--quiet"], env=environment) as child:
        try:
            until = time.monotonic() + PATIENCE
            while not re.search(r'"step": (1\d|2\d)', read(killed / "scalars.jsonl")):
                assert child.poll() is None and time.monotonic() < until
                time.sleep(0.02)
        finally:
            child.send_signal(signal.SIGKILL)
    assert not (killed / "model").exists()
    resumed = [*command, "--out", str(killed), "--quiet", "--resume"]
    subprocess.run(resumed, check=True, env=environment, timeout=PATIENCE)
    assert digest(killed) == digest(whole)
    curves = [
        [(p["step"], p.get("loss"), p.get("score")) for p in map(json.loads, read(run / "scalars.jsonl").splitlines())]
        for run in (whole, killed)
    ]
    assert curves[0] == curves[1]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def test_a_training_of_something_else_is_not_taken_up(place: Path, trained: TrainingResult) -> None:
    asked = {**ASKED, "out": place / "run"}
    with pytest.raises(RunFolderError, match="holds a run already"):
        lighten.train(place / "net", place / "data.csv", **asked)
    with pytest.raises(RunFolderError, match="epochs was 8 and is now 9"):
        lighten.train(place / "net", place / "data.csv", **{**asked, "epochs": 9, "resume": True})
    other = data_file(place / "other.csv", 200)
    with pytest.raises(RunFolderError, match=r"data was .*data_fingerprint was"):
        lighten.train(place / "net", other, **{**asked, "resume": True})
    with pytest.raises(RunFolderError, match="there is no run in"):
        lighten.train(place / "net", place / "data.csv", epochs=1, out=place / "nothing", resume=True)


def test_a_finished_training_that_is_resumed_says_the_same(place: Path, trained: TrainingResult) -> None:
    again = lighten.train(place / "net", place / "data.csv", **ASKED, out=place / "run", resume=True)
    assert again.proof == trained.proof and again.curve == trained.curve


def test_a_language_model_is_not_trained_so(tmp_path: Path) -> None:
    model, data = documents(tmp_path)
    for asked in ({"harden": 0.1}, {"unlabelled": data}, {"teacher": model}, {"augment": "shift"}):
        with pytest.raises(
            InputError, match=rf"--{next(iter(asked))} was given, and a language model is not trained so"
        ):
            lighten.train(model, data, out=tmp_path / "refused", **asked)  # type: ignore[arg-type]
    assert not (tmp_path / "refused").exists()


def test_time_bounds_it(again: tuple[TrainingResult, Notes]) -> None:
    result, heard = again
    assert result.planned < 10_000 * result.rows["train"]
    assert result.steps > 0 and heard.messages


def test_an_architecture_alone_is_trained_from_random_weights(place: Path, in_this_process: None) -> None:
    bare = place / "bare"
    bare.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (bare / name).write_bytes((place / "net" / name).read_bytes())
    with pytest.raises(ModelError, match=r"without weights(.|\n)*--from-scratch"):
        lighten.train(bare / "config.json", place / "data.csv", out=place / "no")
    runs = []
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        result = lighten.train(
            bare / "config.json", place / "data.csv", from_scratch=True, epochs=1, threads=1, seed=seed,
            precision="fp32", split_column="none", out=place / f"scratch-{name}",
        )  # fmt: skip
        runs.append(digest(place / f"scratch-{name}"))
    assert runs[0] == runs[1] != runs[2]
    assert result.settings["batch"] == 128
    (bare / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="no tokenizer beside"):
        lighten.train(bare / "config.json", place / "data.csv", from_scratch=True, out=place / "no")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"epochs": 0}, "--epochs is 0"),
        ({"lr": -1.0}, "--lr is -1"),
        ({"precision": "fp8"}, r"--precision is 'fp8'(.|\n)*auto, fp32, bf16"),
        ({"time": "soon"}, "--time 'soon'"),
        ({"task": "chess"}, "no task named 'chess'"),
        ({"grid": True, "group": "none"}, "--grid was given, and the data has no column of groups"),
        ({"harden": 2.0}, "--harden is 2.0"),
        ({"augment": "shift"}, r"--augment is 'shift'(.|\n)*auto, off"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(
    place: Path, in_this_process: None, asked: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        lighten.train(place / "net", place / "data.csv", out=place / "refused", **asked)  # type: ignore[arg-type]
    assert not (place / "refused").exists()


def test_rows_of_one_class_are_refused(place: Path) -> None:
    path = place / "one.csv"
    path.write_text("text,label\n" + "".join(f"row {n} good,good\n" for n in range(200)), encoding="utf-8")
    with pytest.raises(InputError):
        lighten.train(place / "net", path, out=place / "refused")


def pictures(folder: Path) -> tuple[Path, Path]:
    """A network for pictures without a head, and pictures in a csv file."""
    rows = tiny_pictures(folder / "files", 150)
    lines = [f"{item.path},{LABELS[target]}\n" for item, target in zip(rows.inputs, rows.targets, strict=True)]
    (folder / "pictures.csv").write_text("file,label\n" + "".join(lines), encoding="utf-8")
    return tiny_vision_folder(folder / "vision", head=False), folder / "pictures.csv"


def documents(folder: Path) -> tuple[Path, Path]:
    """A language model, and documents."""
    path = folder / "documents.jsonl"
    texts = [" ".join(tiny_texts(6, seed=number)) for number in range(120)]
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")
    return tiny_language("llama", folder / "language"), path


def packed(folder: Path) -> tuple[Path, Path]:
    """A language model in a GGUF file, and documents."""
    return tiny_gguf("llama", folder / "gguf").path / FILE, documents(folder)[1]


@pytest.mark.parametrize(
    ("made", "metric", "noun", "format"),
    [
        (pictures, "accuracy", "rows", "hf-image"),
        (documents, "bits_per_byte", "tokens", "hf-causal"),
        (packed, "bits_per_byte", "tokens", "hf-causal"),
    ],
)
def test_every_kind_of_model_is_trained(
    tmp_path: Path,
    in_this_process: None,
    made: Callable[[Path], tuple[Path, Path]],
    metric: str,
    noun: str,
    format: str,
) -> None:
    model, data = made(tmp_path)
    result = lighten.train(model, data, epochs=3, threads=1, out=tmp_path / "run")
    assert result.proof[0].metric == metric and result.noun == noun
    assert Artifact.open(tmp_path / "run" / "model").format == format
    losses = [point.tune_loss for point in result.curve if point.tune_loss is not None]
    assert min(losses) < losses[0] or len(losses) == 1
    assert find(str(tmp_path / "run")).sealed


def test_what_a_finished_training_made_on_its_way_can_go(place: Path, again: tuple[TrainingResult, Notes]) -> None:
    found = lighten.clean(place / "again")
    assert found.removed == ("store/model",) and "model" in found.kept
    assert find(str(place / "again")).sealed


def test_a_network_of_the_users_own_is_trained_and_taken_up_and_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_code(tmp_path)
    pictures(tmp_path)
    asked = ["mynets:pictures", "--data", "pictures.csv", "--epochs", "3", "--threads", "1", "--out", "run", "--json"]
    command = [sys.executable, "-m", "lighten", "train", *asked]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["proof"][0]["metric"] == "accuracy" and found["settings"]["batch"] == 128
    monkeypatch.chdir(tmp_path)
    with trainings_here():
        again = lighten.train("mynets:pictures", "pictures.csv", epochs=3, threads=1, out="run", resume=True)
        assert json.loads(json.dumps(again.to_json()))["proof"] == found["proof"]
        lighten.train("run", "pictures.csv", epochs=1, threads=1, out="on")
    assert find("on").sealed


@pytest.mark.parametrize(
    ("error", "begun", "told"),
    [
        (StepFailed("It came apart."), True, ["FAILED"]),
        (Interrupted("It was interrupted."), True, ["KILLED"]),
        (StepFailed("It came apart."), False, []),
        (RunFolderError("Another process is working in it."), True, []),
    ],
)
def test_a_training_that_ends_before_its_time_is_told_to_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, begun: bool, told: list[str]
) -> None:
    verb, heard, notes = importlib.import_module("lighten.verbs.train"), [], Notes()

    def failing(*_: object) -> None:
        raise error

    def ended(folder: Path, asked: dict[str, Any], how: str) -> str:
        assert folder == tmp_path and asked["seed"] == 0
        heard.append(how)
        return "It is there."

    monkeypatch.setattr(verb, "train_model", failing)
    monkeypatch.setattr(verb, "end_in_mlflow", ended)
    if begun:
        (tmp_path / "scalars.jsonl").write_text("")
    with pytest.raises(type(error)):
        lighten.train("m", "d", task="text-classification", out=tmp_path, listener=notes)
    assert heard == told and notes.notes == ["It is there."] * len(told)
