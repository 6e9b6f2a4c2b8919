"""Labels as people have them: a model without names whose outputs stand the other way round, and data of 0 and 1."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import lighten
from lighten.core.artifact import RECORD, Artifact
from lighten.core.errors import DataError
from lighten.testing.tiny import tiny_network_folder, toy_rows

NAMES = ("negative", "positive")
NUMBERS = ("0", "1")
RECIPE = 'model = "{model}"\n[data]\nsource = "{data}"\n[[step]]\nuse = "train.full"\nepochs = 16\n'


def table(path: Path, labels: tuple[str, str], rows: int = 900, seed: int = 0) -> Path:
    """A csv of short reviews; one in twenty has the wrong label."""
    made = toy_rows(rows, seed)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for i, (text, target) in enumerate(zip(made.inputs, made.targets, strict=True)):
            writer.writerow([f"{text} {i}", labels[target if i % 20 else 1 - target]])
    return path


def renamed(source: Path, target: Path, names: tuple[str, str], *, exchanged: bool = False) -> Path:
    """A trained network as its author published it: with these names, its two outputs exchanged or not."""
    target.mkdir()
    for path in source.iterdir():
        if path.name != RECORD:
            (target / path.name).write_bytes(path.read_bytes())
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    config["id2label"], config["label2id"] = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    (target / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if exchanged:
        weights = load_file(target / "model.safetensors")
        weights |= {name: weights[name].flip(0).contiguous() for name in weights if name.startswith("classifier.")}
        save_file(weights, target / "model.safetensors", {"format": "pt"})
    return target


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, a model without names in the other order, one with names, and a run on the first."""
    folder = tmp_path_factory.mktemp("labels")
    data = table(folder / "reviews.csv", NAMES)
    table(folder / "numbers.csv", NUMBERS)
    table(folder / "new.csv", NAMES, 300, seed=7)
    table(folder / "new01.csv", NUMBERS, 300, seed=7)
    bare = tiny_network_folder(folder / "bare", layers=1, labels=None)
    (folder / "recipe.toml").write_text(RECIPE.format(model=bare, data=data), encoding="utf-8")
    trained = lighten.apply(folder / "recipe.toml", folder / "trained", threads=1).path
    renamed(trained, folder / "swapped", ("LABEL_0", "LABEL_1"), exchanged=True)
    renamed(trained, folder / "named", ("NEGATIVE", "POSITIVE"))
    lighten.optimize(
        folder / "swapped", data, keep="accuracy>=-4pt", candidates=1, engines="ort", threads=1, out=folder / "run"
    )
    return folder


def test_rows_decide_which_output_is_which_and_the_winner_says_so(home: Path) -> None:
    winner = Artifact.open(home / "run" / "winner")
    assert winner.meta["labels"] == ["positive", "negative"]
    assert winner.meta["classes"]["own"] == ["LABEL_0", "LABEL_1"]
    summary = json.loads((home / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["verdicts"][0]["original"] > 0.8 and summary["constant"] is None
    assert any("labelled rows decide which is which" in note for note in summary["data"]["notes"])
    recipe = tomllib.loads((home / "run" / "run.toml").read_text(encoding="utf-8"))
    assert recipe["data"]["labels"] == ["negative=1", "positive=0"]
    with lighten.load(home / "run") as model:
        assert [one.label for one in model.predict(["a lovely film", "a dreadful film"])] == ["positive", "negative"]


def test_the_original_can_be_compared_with_its_winner(home: Path) -> None:
    found = lighten.compare(home / "swapped", home / "run", home / "new.csv", margin="4pt", threads=1)
    before = found.before["accuracy"].value
    assert before is not None and before > 0.8 and found.constant is None and found.verdict.holds


def test_numbers_are_places_in_the_list_of_classes(home: Path) -> None:
    found = lighten.compare(home / "named", home / "named", home / "new01.csv", threads=1)
    assert found.before["accuracy"].value == pytest.approx(0.95, abs=0.05)
    assert any("'0' is 'NEGATIVE', '1' is 'POSITIVE'" in note for note in found.notes)


def test_numbers_that_rows_speak_against_stop_before_anything_is_written(home: Path) -> None:
    with pytest.raises(DataError, match="with the labels exchanged 9") as caught:
        lighten.optimize(home / "swapped", home / "numbers.csv", candidates=1, threads=1, out=home / "none")
    assert not (home / "none").exists() and "--labels 0=1,1=0" in caught.value.fix
    with pytest.raises(DataError, match="speak against"):
        lighten.compare(home / "swapped", home / "swapped", home / "new01.csv", threads=1)
    found = lighten.compare(home / "swapped", home / "swapped", home / "new01.csv", labels="0=1,1=0", threads=1)
    assert found.before["accuracy"].value == pytest.approx(0.95, abs=0.05)
