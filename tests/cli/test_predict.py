"""Predictions on stdout, one line each: labels, answers, or bits per byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from lighten.cli import predict
from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, InputError
from lighten.nets.baselines.counts import fit_ngram
from lighten.readers import image
from lighten.readers._pixels import loaded
from lighten.testing.pictures import saved_picture
from lighten.testing.tiny_artifacts import tiny_artifact
from lighten.testing.tiny_pictures import LABELS, tiny_pictures, tiny_vision_folder

app = typer.Typer()
app.command()(predict.command)

CHOSEN = {"use": "text_generation", "evidence": "choices", "choices": [" good", " bad"]}
MOODS = [f"place {i}y: good" for i in range(60)] + [f"place {i}n: bad" for i in range(60)]
SUMS = [f"{a}+{b}={a + b}\nnext" for a in range(4) for b in range(4)] * 3


def model(folder: Path, texts: list[str], **meta: Any) -> str:
    folder.mkdir()
    fit_ngram(texts, 8).save(folder)
    return str(Artifact.seal(folder, format="byte-lm", meta=meta).path)


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, words, input=text)


@pytest.fixture
def chooser(tmp_path: Path) -> str:
    return model(tmp_path / "m", MOODS, asked=CHOSEN, data={"prompt": "{place}:"}, labels=["good", "bad"])


def test_choices_are_labels_as_of_a_classifier(chooser: str, tmp_path: Path) -> None:
    assert run(chooser, text="place 1y\nplace 2n\nplace 3y\n").stdout == "good\nbad\ngood\n"
    path = tmp_path / "p.csv"
    path.write_text("place,spot\nplace 1n,place 1y\nplace 2n,place 2y\n")
    assert run(chooser, str(path), "--batch", "1").stdout == "bad\nbad\n"
    assert run(chooser, "--data", str(path)).stdout == "bad\nbad\n"
    with pytest.raises(InputError, match="Two files"):
        CliRunner().invoke(app, [chooser, str(path), "--data", str(path)], catch_exceptions=False)
    assert run(chooser, str(path), "--text", "spot").stdout == "good\ngood\n"
    first = json.loads(run(chooser, str(path), "--json").stdout.splitlines()[0])
    assert first["label"] == "bad" and sum(first["scores"].values()) == pytest.approx(1.0)
    assert set(first) == {"label", "scores"}


def test_answers_are_text(tmp_path: Path) -> None:
    asked = {"use": "text_generation", "evidence": "answers"}
    made = model(tmp_path / "m", SUMS, asked=asked, data={"prompt": "{sum}=", "answer": "right"})
    assert run(made, text="1+2\n2+0\n").stdout == "3\n2\n"
    assert json.loads(run(made, "--json", text="1+1\n").stdout) == {"answer": "2"}


def test_documents_get_bits_per_byte(tmp_path: Path) -> None:
    made = model(tmp_path / "m", MOODS)
    lines = run(made, text="place 1y: good\nzxq wvu\n").stdout.splitlines()
    assert len(lines) == 2 and float(lines[0]) < 1 < float(lines[1])
    assert set(json.loads(run(made, "--json", text="place 1y: good\n").stdout)) == {"bits_per_byte"}
    (tmp_path / "d.txt").write_text("place 1y: good\n\nplace 2n: bad\n")
    assert len(run(made, str(tmp_path / "d.txt")).stdout.splitlines()) == 1, "one document, as optimize reads it"


def test_a_prompt_that_nobody_says_is_asked_for(tmp_path: Path) -> None:
    made = model(tmp_path / "m", MOODS, asked=CHOSEN)
    path = tmp_path / "p.csv"
    path.write_text("place\nplace 1n\n")
    with pytest.raises(InputError, match="does not say which prompt") as caught:
        CliRunner().invoke(app, [made, str(path)], catch_exceptions=False)
    assert "--prompt" in caught.value.fix
    assert run(made, str(path), "--prompt", "{place}:").stdout == "bad\n"


def test_a_classifier_says_on_stderr_what_it_did_not_read(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")
    built = str(tiny_artifact("onnx").path)
    long = "good " * 100
    said = run(built, text=f"{long}\n这部 电影 很 好\ngood film\n")
    assert len(said.stdout.splitlines()) == 3
    assert "reads at most 64 tokens" in said.stderr and "1 of 3 texts in your data (33%)" in said.stderr
    assert "of the tokens of your texts are unknown to" in said.stderr
    assert run(built, text="good film\n").stderr == ""
    shorter = run(built, "--longest", "4", text="the film was good\n")
    assert "reads at most 4 tokens" in shorter.stderr and len(shorter.stdout.splitlines()) == 1
    with pytest.raises(InputError, match="at most 64 tokens"):
        CliRunner().invoke(app, [built, "--longest", "65"], input="good\n", catch_exceptions=False)


def test_fewer_tokens_give_the_answer_to_the_shorter_text(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'lighten[ort]'")
    built = str(tiny_artifact("onnx").path)
    cut = run(built, "--longest", "4", "--json", text="the film was good and superb\n").stdout
    assert cut == run(built, "--json", text="the film\n").stdout != run(built, "--json", text="the film was\n").stdout


def test_answers_to_files_name_them(tmp_path: Path) -> None:
    folder = tiny_vision_folder(tmp_path / "m")
    Artifact.seal(folder, format="hf-image", meta={"labels": list(LABELS)})
    tiny_pictures(tmp_path / "p", 2)
    paths = [str(tmp_path / "p" / f"{at}.png") for at in (1, 0)]
    lines = run(str(folder), *paths, "--json").stdout.splitlines()
    assert [json.loads(line)["file"] for line in lines] == paths
    labels = [json.loads(line)["label"] for line in lines]
    assert run(str(folder), *paths).stdout.splitlines() == [f"{p}\t{one}" for p, one in zip(paths, labels, strict=True)]
    assert run(str(folder), paths[0]).stdout.splitlines() == labels[:1], "of one file nobody asks which it is"
    assert run(str(folder), text="\n".join(paths)).stdout.splitlines() == labels, "lines of stdin are answered in turn"
    assert set(labels) <= set(LABELS)


def test_every_picture_of_a_tree_is_answered(tmp_path: Path) -> None:
    folder = tiny_vision_folder(tmp_path / "m")
    Artifact.seal(folder, format="hf-image", meta={"labels": list(LABELS)})
    photos = tmp_path / "photos"
    for at, name in enumerate(("1.png", "2.png", "old/3.png", "old/deep/4.png")):
        saved_picture(photos / name, at)
    lines = run(str(folder), str(photos), "--batch", "3").stdout.splitlines()
    names = ("1.png", "2.png", "old/3.png", "old/deep/4.png")
    assert [line.partition("\t")[0] for line in lines] == [str(photos / name) for name in names]


def test_documents_are_read_by_the_column_that_the_model_was_made_with(tmp_path: Path) -> None:
    made = model(tmp_path / "m", MOODS, data={"text": "spot"})
    path = tmp_path / "p.csv"
    path.write_text("place,spot\nzxq wvu qrs,place 1y: good\nqqq xxx yyy,place 2y: good\n")
    found = run(made, str(path))
    assert all(float(line) < 1 for line in found.stdout.splitlines())
    assert "Note: Texts are the column 'spot' (as when the model was made)." in found.stderr
    assert all(float(line) > 1 for line in run(made, str(path), "--text", "place").stdout.splitlines())


@pytest.fixture
def seeing(tmp_path: Path) -> str:
    folder = tiny_vision_folder(tmp_path / "seeing")
    return str(Artifact.seal(folder, format="hf-image", meta={"labels": list(LABELS)}).path)


def test_files_that_cannot_be_opened_are_left_out_and_counted(seeing: str, tmp_path: Path) -> None:
    paths = [Path(saved_picture(tmp_path / "p" / f"{at}.png", at, size=(90, 90)).path) for at in range(6)]
    paths[1].write_text("no picture")
    paths[4].write_bytes(paths[4].read_bytes()[:2000])  # its header is whole
    paths.append(tmp_path / "p" / "gone.png")
    said = run(seeing, *map(str, paths), "--drop-empty")
    names = [line.partition("\t")[0] for line in said.stdout.splitlines()]
    assert names == [str(paths[at]) for at in (0, 2, 3, 5)] and said.exit_code == 0
    assert "Left out: 3 rows of 7 could not be answered: " in said.stderr
    for name, why in (("1.png", "is no picture"), ("4.png", "is damaged"), ("gone.png", "cannot be read")):
        assert f"{name} {why}" in said.stderr
    lines = run(seeing, "--drop-empty", "--batch", "2", text="\n".join(map(str, [*paths, ""]))).stdout.splitlines()
    assert lines == [line.partition("\t")[2] for line in said.stdout.splitlines()]


def test_what_comes_before_a_file_that_cannot_be_opened_is_answered(seeing: str, tmp_path: Path) -> None:
    paths = [saved_picture(tmp_path / f"{at}.png", at, size=(90, 90)).path for at in range(4)]
    Path(paths[2]).write_bytes(Path(paths[2]).read_bytes()[:2000])
    ended = run(seeing, *paths)
    assert [line.partition("\t")[0] for line in ended.stdout.splitlines()] == paths[:2]
    assert isinstance(ended.exception, DataError) and "2.png is damaged" in str(ended.exception)
    assert "--drop-empty" in ended.exception.fix
    alone = run(seeing, paths[2], "--drop-empty")
    assert isinstance(alone.exception, DataError) and not alone.stdout, "nothing is left to be answered"


def test_a_picture_that_is_only_asked_is_decoded_once(
    seeing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [saved_picture(tmp_path / f"{at}.png", at).path for at in range(3)]
    decoded: list[str] = []

    def counted(picture: Any, name: str) -> Any:
        decoded.append(name)
        return loaded(picture, name)

    monkeypatch.setattr(image, "loaded", counted)
    assert len(run(seeing, *paths).stdout.splitlines()) == 3
    assert sorted(decoded) == paths


def test_rows_in_which_nothing_stands_are_left_out_where_that_is_asked(chooser: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text('place\nplace 1n\n""\nplace 2y\n')
    assert len(run(chooser, str(tmp_path / "p.csv")).stdout.splitlines()) == 3
    said = run(chooser, str(tmp_path / "p.csv"), "--drop-empty")
    assert said.stdout == "bad\ngood\n" and "Left out: 1 row in which nothing stands" in said.stderr
