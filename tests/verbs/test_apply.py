"""One recipe carried out: language models are taken as they came, and what is made says what it was made for."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from importlib.util import find_spec
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import tomli_w

import lighten
from lighten.cli.apply import command
from lighten.core.artifact import Artifact
from lighten.core.data_options import DataOptions
from lighten.core.errors import DataError, ModelError, PlanError, RunFolderError
from lighten.core.recipe import Recipe, record_of
from lighten.data.learned import learned_in, seen_before
from lighten.search.options import Options, asked_of, recorded
from lighten.search.start import read_data
from lighten.testing.require import require
from lighten.testing.tiny import tiny_network_folder, toy_rows
from lighten.testing.tiny_artifacts import META
from lighten.testing.tiny_language import tiny_documents, tiny_gguf
from lighten.verbs.apply import apply, overridden, planned, prepared
from lighten.verbs.compare import compare

LLAMA = "llama.cpp (pip install 'lighten[llama]')"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``docs.jsonl``, ``moods.csv`` and a tiny ``model.gguf``."""
    folder = tmp_path_factory.mktemp("apply")
    texts = tiny_documents(150).inputs
    (folder / "docs.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    rows = [f'"{text}",{("good", "bad")[i % 2]}' for i, text in enumerate(tiny_documents(300, 5).inputs)]
    (folder / "moods.csv").write_text("\n".join(["review,mood", *rows]))
    (tiny_gguf("gemma3_text", folder / "tiny").path / "model.gguf").rename(folder / "model.gguf")
    return folder


def recipe(made: Path, data: str, *parts: str, model: str = "model.gguf", task: str = "text_generation") -> Recipe:
    head = f'model = "{made / model}"\ntask = "{task}"\n[data]\n{data}\n'
    return Recipe.from_toml(head + "\n".join(parts))


QUANTIZE = '[[step]]\nuse = "quantize.gguf"\nformat = "Q8_0"\nhead = "Q8_0"\n[engine]\nuse = "llama"\ncells = 512'
LEARN = '[[step]]\nuse = "train.linear"\n[engine]\nuse = "numpy"'


def test_a_gguf_file_is_quantized_and_still_says_the_same(made: Path, tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), LLAMA)
    found = apply(recipe(made, f'source = "{made / "docs.jsonl"}"', QUANTIZE), tmp_path / "out", threads=1)
    assert found.format == "gguf" and found.size < 0.5 * (made / "model.gguf").stat().st_size
    assert found.meta["asked"]["evidence"] == "documents" and found.meta["engine"]["cells"] == 512
    assert "source" not in found.meta, "the copy of the original is gone"
    assert found.parent and not (tmp_path / ".out.part").exists()
    other = tmp_path / "new.jsonl"
    other.write_text("".join(json.dumps({"text": text}) + "\n" for text in tiny_documents(40, 9).inputs))
    assert compare(made / "model.gguf", tmp_path / "out", other, threads=1).verdict.holds


def test_what_is_asked_is_kept_so_that_the_winner_can_be_used(made: Path, tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), LLAMA)
    data = f'source = "{made / "moods.csv"}"\nprompt = "{{review}} It was"\nchoices = "good,bad"\nshots = 2'
    found = apply(recipe(made, data, QUANTIZE), tmp_path / "out", threads=1)
    asked = found.meta["asked"]
    assert (asked["evidence"], list(asked["choices"])) == ("choices", [" good", " bad"])
    assert found.meta["labels"] == ["good", "bad"]
    assert asked["prefix"].count(" It was ") == 2, "two examples of train stand before every prompt"
    assert found.meta["data"]["prompt"] == "{review} It was" and "source" not in found.meta["data"]
    with lighten.load(tmp_path / "out") as model:
        (answer,) = model.predict(["ba ko lin"])
        assert set(answer.scores) == {"good", "bad"}
        assert model.predict(model.read(made / "moods.csv"))[0].label in ("good", "bad")


def test_a_linear_model_is_made_of_labelled_rows_and_of_nothing_else(made: Path, tmp_path: Path) -> None:
    data = f'source = "{made / "moods.csv"}"\nprompt = "{{review}} It was"\nchoices = "good,bad"'
    found = apply(recipe(made, data, LEARN), tmp_path / "out", threads=1)
    assert found.format == "linear"
    with lighten.load(tmp_path / "out") as model:
        (answer,) = model.predict(["ba ko lin"])
        assert set(answer.scores) == {"good", "bad"} and sum(answer.scores.values()) == pytest.approx(1)
    with pytest.raises(PlanError, match="learns labelled rows with choices"):
        apply(recipe(made, f'source = "{made / "docs.jsonl"}"', LEARN), tmp_path / "documents")


def test_what_a_run_records_asks_the_same_and_makes_the_same_file(made: Path, tmp_path: Path) -> None:
    asked = {"prompt": "{review} It was", "choices": ("good", "bad"), "shots": 3, "label": "mood"}
    options = Options("model", str(made / "moods.csv"), tmp_path, task="text_generation", **asked)
    read = read_data(options)
    data = recorded(options, read.columns)
    again = read_data(replace(replace(options, label=None, choices=(), prompt=None, shots=0), **asked_of(data)))
    assert (again.task, again.parts) == (read.task, read.parts)
    table = tomli_w.dumps(data)
    ids = {apply(recipe(made, table, LEARN), tmp_path / name, threads=1).id for name in ("one", "two")}
    assert len(ids) == 1


def test_language_models_are_never_tuned_first_and_classifiers_without_a_head_are(made: Path, tmp_path: Path) -> None:
    language = recipe(made, "", '[[step]]\nuse = "prune.layers"\n[[step]]\nuse = "quantize.gguf"')
    plan, taught = planned(language, "gguf", {"has_head": False, "language": True, "layers": 6}, learns=False)
    names = [record_of(step)["use"] for step in plan]
    assert (names, taught) == (["export.dequantize", "prune.layers", "quantize.gguf"], 0)
    classifier = recipe(made, "", '[[step]]\nuse = "prune.layers"', task="text_classification")
    known = {"has_head": False, "layers": 4, "family": "bert"}
    plan, taught = planned(classifier, "hf", known, learns=True)
    assert ([record_of(step)["use"] for step in plan], taught) == (["train.full", "prune.layers"], 1)
    _, taught = planned(classifier, "hf", {**known, "has_head": True}, learns=True)
    assert taught == 0


def test_recipes_that_do_not_fit_are_refused_and_leave_nothing(made: Path, tmp_path: Path) -> None:
    source = f'source = "{made / "moods.csv"}"'
    with pytest.raises(ModelError, match=r"is a language model \(gemma3\), and the task is text-classification"):
        apply(recipe(made, source, task="text_classification"), tmp_path / "out")
    tiny_network_folder(made / "encoder", layers=1)
    with pytest.raises(ModelError, match=r"is a text classifier .*, and the task is text-generation"):
        apply(recipe(made, f'source = "{made / "docs.jsonl"}"', model="encoder"), tmp_path / "out")
    with pytest.raises(PlanError, match="takes onnx or onnx-int8, but the recipe makes gguf"):
        apply(recipe(made, f'source = "{made / "docs.jsonl"}"', '[engine]\nuse = "ort"'), tmp_path / "out")
    with pytest.raises(DataError, match="names no data"):
        apply(recipe(made, ""), tmp_path / "out")
    (tmp_path / "there").mkdir()
    with pytest.raises(RunFolderError, match="exists already"):
        apply(recipe(made, source), tmp_path / "there")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_rows_that_a_model_learned_from_are_known_wherever_it_goes(made: Path, tmp_path: Path) -> None:
    data = f'source = "{made / "moods.csv"}"\nprompt = "{{review}} It was"\nchoices = "good,bad"'
    asked = {"prompt": "{review} It was", "choices": ("good", "bad"), "label": "mood"}
    options = Options("model", str(made / "moods.csv"), tmp_path / "no", task="text_generation", **asked)
    out = apply(recipe(made, data, LEARN), tmp_path / "out", threads=1).path
    moved = shutil.copytree(out, tmp_path / "elsewhere" / "model")
    own = read_data(options).parts
    known = learned_in(moved)
    assert seen_before(own.train, known).all() and not seen_before(own.proof, known).any()
    with pytest.raises(DataError, match=r"of 300 rows of .* learned from(.|\n)*--leave-out-learned"):
        compare(moved, moved, made / "moods.csv", threads=1)
    left = compare(moved, moved, made / "moods.csv", leave_out_learned=True, threads=1)
    assert left.n == 300 - len(known) and "they were left out" in left.notes[-1]
    other = read_data(replace(options, model=str(moved), seed=1)).parts
    assert not seen_before(other.proof, known).any() and "went to train" in other.notes[-1]
    assert other.fingerprint != read_data(replace(options, seed=1)).parts.fingerprint


def test_every_option_of_data_is_taken_that_an_error_may_advise(made: Path, tmp_path: Path) -> None:
    asked = {one.name for one in fields(DataOptions)}
    assert asked <= set(signature(apply).parameters) and asked <= set(signature(command).parameters)
    lines = (made / "moods.csv").read_text().splitlines()[1:]
    (tmp_path / "two.csv").write_text(
        "\n".join(["before,after,mood", *(f"{line[: line.rindex(',')]},{line}" for line in lines)])
    )
    data = f'source = "{tmp_path / "two.csv"}"\nchoices = "good,bad"\nlabel = "mood"'
    found = apply(recipe(made, data, LEARN), tmp_path / "out", prompt="{after} It was", unit="none", threads=1)
    assert (found.meta["data"]["prompt"], found.meta["data"]["unit"]) == ("{after} It was", "none")


def test_what_the_user_says_takes_the_place_of_what_the_recipe_says() -> None:
    said = {"text": "review", "answer": "mood", "group": "shop"}
    assert overridden(said, {}) == said
    assert overridden(said, {"prompt": "{review}:"}) == {"answer": "mood", "group": "shop", "prompt": "{review}:"}
    assert overridden(said, {"label": "mood", "group": "none"}) == {"text": "review", "label": "mood", "group": "none"}
    assert overridden({"label": "mood", "choices": ("a", "b")}, {"answer": "mood"}) == {"answer": "mood"}


def test_rows_that_speak_against_the_labels_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = toy_rows(400)
    right = dict(zip(rows.inputs, rows.targets, strict=True))
    lines = [f"{text},{META['labels'][label]}" for text, label in right.items()]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines]))
    base = Artifact.seal(tiny_network_folder(tmp_path / "net", layers=1), format="hf", meta=META)
    exchanged = ("negative=positive", "positive=negative")
    options = Options(
        str(base.path), str(tmp_path / "rows.csv"), tmp_path / "out", task="text_classification", labels=exchanged
    )
    monkeypatch.setattr(
        "lighten.verbs.apply.asking", lambda *given: lambda texts: np.eye(2)[[right[text] for text in texts]]
    )
    told: list[str] = []
    head = f'model = "{base.path}"\ntask = "text_classification"\n[data]\nsource = "rows.csv"'
    prepared(Recipe.from_toml(head), options, read_data(options), base, 1, lambda *far: None, told.append)
    assert [text for text in told if "speak against" in text and "100.0%" in text], told
