"""Bad input: exit code 2, what was seen and what to do, no traceback, and nothing is written."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lighten.cli import main
from lighten.testing.pictures import saved_picture
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_pictures import tiny_vision_folder

Case = Callable[[Path], Sequence[str]]


def rows(path: Path, pairs: Sequence[tuple[str, str]], head: tuple[str, str] = ("text", "label")) -> str:
    """A csv with these rows; its path as a word of a command."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *pairs])
    return str(path)


def many(count: int = 2000) -> list[tuple[str, str]]:
    """Rows of two classes, no text twice."""
    return [(f"number {i} is {'good' if i % 2 else 'bad'}", "yes" if i % 2 else "no") for i in range(count)]


def of_users(path: Path, users: int) -> str:
    """Rows of so many users."""
    lines = [f"{text},{label},user {i % users}\n" for i, (text, label) in enumerate(many(4000))]
    path.write_text("text,label,user\n" + "".join(lines), encoding="utf-8")
    return str(path)


def of_groups(path: Path) -> str:
    """Rows of two groups, one of which is small."""
    lines = [f"{text},{label},{'rare' if i % 50 == 0 else 'usual'}\n" for i, (text, label) in enumerate(many(4000))]
    path.write_text("text,label,group\n" + "".join(lines), encoding="utf-8")
    return str(path)


def of_documents(path: Path, count: int) -> str:
    """Documents of some sentences."""
    texts = [" ".join(f"Sentence {i} of document {n} says a little more." for i in range(12)) for n in range(count)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return str(path)


def written(path: Path, content: bytes) -> str:
    """A file with this content; its path as a word of a command."""
    path.write_bytes(content)
    return str(path)


def model(folder: Path, labels: int | None = None) -> str:
    """A tiny network; its path as a word of a command."""
    return str(tiny_network_folder(folder / "model", layers=2, labels=labels))


def spoiled(folder: Path, change: Callable[[Path], object]) -> list[str]:
    """A tiny network after ``change``, with data that is fine."""
    name = model(folder)
    change(Path(name))
    return [name, "--data", rows(folder / "d.csv", many())]


def with_code(folder: Path) -> None:
    """Make the config ask for code of its own."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoModel": "modeling.Mine"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def of_another_size(folder: Path) -> None:
    """Make the config disagree with the weights."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["intermediate_size"] = 999
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def truncated(folder: Path) -> None:
    """Cut the weights in half."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_tokenizer(folder: Path) -> None:
    """Remove every tokenizer file."""
    for path in folder.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            path.unlink()


def pictures(folder: Path, *names: str) -> Path:
    """A folder of small pictures, of which no two are the same."""
    for number, name in enumerate(names):
        saved_picture(folder / name, number)
    return folder


def classes(folder: Path, each: int, *broken: str) -> str:
    """A folder of pictures for each of two classes, some of which are none; its path as a word of a command."""
    made = pictures(folder, *(f"{label}/{at}.png" for label in ("cats", "dogs") for at in range(each)))
    for name in broken:
        (made / name).write_text("no picture", encoding="utf-8")
    return str(made)


def seeing(folder: Path, change: Callable[[Path], object]) -> list[str]:
    """A tiny network for pictures after ``change``, with data that is fine."""
    name = tiny_vision_folder(folder / "model", "vit")
    change(name)
    return [str(name), "--data", classes(folder / "p", 150), "--keep", "accuracy>=-15pt"]


def settings(folder: Path, **changed: object) -> None:
    """Change what is done to pictures."""
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changed}), encoding="utf-8")


def of_five_channels(folder: Path) -> None:
    """Make it a network for pictures that no file holds."""
    tiny_vision_folder(folder, "vit", channels=5)


GOOD_TEXT = [("fine words", "yes"), ("other words", "no")]
DATA: dict[str, tuple[Case, str]] = {
    "missing file": (lambda f: [str(f / "none.csv")], "none.csv"),
    "empty file": (lambda f: [written(f / "d.csv", b"")], "empty"),
    "binary file": (lambda f: [written(f / "d.csv", bytes(range(256)) * 8)], "d.csv"),
    "not UTF-8": (lambda f: [written(f / "d.csv", "text,label\nплохой,yes\n".encode("cp1251"))], "UTF-8"),
    "no such column": (lambda f: [rows(f / "d.csv", many()), "--text", "txet"], "'text'"),
    "one class": (lambda f: [rows(f / "d.csv", [(f"row {i}", "yes") for i in range(500)])], "class"),
    "empty texts": (lambda f: [rows(f / "d.csv", [*many(), ("", "yes"), ("  ", "no")])], "--drop-empty"),
    "too few rows": (lambda f: [rows(f / "d.csv", many(300)), "--keep", "accuracy>=-1pt"], "proof rows"),
    "users that are few": (
        lambda f: [of_users(f / "d.csv", 60)],
        "independent units in the proof part (column 'user') can never prove accuracy>=-",
    ),
    "the way out when users are few": (lambda f: [of_users(f / "d.csv", 60)], "--unit none"),
    "a group too small": (
        lambda f: [of_groups(f / "d.csv"), "--keep", "worst_group>=-2pt"],
        "proof rows of the smallest group ('rare') can never prove worst_group>=-2pt",
    ),
    "no groups at all": (
        lambda f: [rows(f / "d.csv", many()), "--keep", "worst_group>=-2pt"],
        "the data has no group column",
    ),
    "few documents": (
        lambda f: [of_documents(f / "d.jsonl", 72), "--task", "text-generation"],
        "proof documents can never prove bits_per_byte<=+1%: on fewer than 30 no verdict is given",
    ),
    "what is never proved": (
        lambda f: [rows(f / "d.csv", many()), "--keep", "calibration_error<=+2pt"],
        "what can be proved instead: log_loss, brier",
    ),
    "a floor that rows cannot prove": (
        lambda f: [rows(f / "d.csv", many(300)), "--keep", "accuracy>=0.99"],
        "can never prove accuracy>=0.99",
    ),
    "unknown metric": (lambda f: [rows(f / "d.csv", many()), "--keep", "acuracy>=-1pt"], "accuracy"),
    "unknown unit": (lambda f: [rows(f / "d.csv", many()), "--under", "p95<=5mss"], "ms"),
    "unknown engine": (lambda f: [rows(f / "d.csv", many()), "--engines", "otr"], "ort"),
    "unknown quantity": (lambda f: [rows(f / "d.csv", many()), "--minimize", "p59"], "p95"),
    "contradiction": (lambda f: [rows(f / "d.csv", many()), "--under", "p95<=5ms", "--under", "p95<=9ms"], "twice"),
    "wrong direction": (lambda f: [rows(f / "d.csv", many()), "--keep", "accuracy<=-1pt"], ">="),
    "bad time": (lambda f: [rows(f / "d.csv", many()), "--time", "soon"], "--time 15m"),
}
MODELS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no tokenizer": (without_tokenizer, "tokenizer"),
    "pickled weights": (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "save_pretrained"),
    "remote code": (with_code, "auto_map"),
    "truncated weights": (truncated, "safetensors"),
    "config that does not match": (of_another_size, "config"),
}


PICTURES: dict[str, tuple[Case, str]] = {
    "no classes": (lambda f: [str(pictures(f / "p", "1.png", "2.png"))], "Nothing says the classes of the image files"),
    "one picture in each class": (lambda f: [classes(f / "p", 1)], "holds one image file in each of its 2 folders"),
    "folders in folders": (
        lambda f: [str(pictures(f / "p", "a/1.png", "a/2.png", "b/c/3.png", "b/c/4.png"))],
        "which level names the class is open",
    ),
    "no pictures": (lambda f: [classes(f / "p", 3, "cats/1.png", "dogs/2.png")], "has 2 files that cannot be opened"),
    "the way out when files are broken": (lambda f: [classes(f / "p", 3, "cats/1.png")], "--drop-empty"),
    "files that are not there": (
        lambda f: [rows(f / "d.csv", [(f"{i}.png", "yes" if i % 2 else "no") for i in range(40)], ("path", "label"))],
        "0.png cannot be read: No such file or directory (row 1)",
    ),
    "a folder of other files": (lambda f: [written(f / "d.docx", b"") and str(f)], "holds no data file"),
}
SEEING: dict[str, tuple[Callable[[Path], object], str]] = {
    "a processor for pictures of another size": (
        lambda f: settings(f, size={"height": 16, "width": 16}),
        "makes pictures of 16 x 16 pixels, and the network takes 32 x 32",
    ),
    "a processor that is not known": (lambda f: settings(f, image_processor_type="SegformerImageProcessor"), "ViTImag"),
    "five channels": (of_five_channels, "The network takes pictures of 5 channels"),
}


Refused = Callable[[Path, Sequence[str], str], None]


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Iterator[Refused]:
    """Runs ``optimize`` as the command line does, but in this process, which has imported everything; checks that it
    refuses, and that it left nothing."""

    def run(folder: Path, words: Sequence[str], expected: str) -> None:
        out = folder / "out"
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["optimize", *words, "--out", str(out)])
        said = capfd.readouterr()
        assert end.value.code == 2, f"exit {end.value.code}\n{said.out}\n{said.err}"
        assert expected in said.err
        assert "Traceback" not in said.err
        assert said.out == ""
        assert not out.exists()

    before = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("case", DATA)
def test_data_and_budget_are_refused_before_anything_is_written(case: str, tmp_path: Path, refused: Refused) -> None:
    make, expected = DATA[case]
    words = make(tmp_path)
    refused(tmp_path, [str(tmp_path / "no-model"), "--task", "text-classification", "--data", *words], expected)


@pytest.mark.parametrize("case", PICTURES)
def test_pictures_are_refused_before_anything_is_written(case: str, tmp_path: Path, refused: Refused) -> None:
    make, expected = PICTURES[case]
    words = make(tmp_path)
    refused(tmp_path, [str(tmp_path / "no-model"), "--task", "image-classification", "--data", *words], expected)


@pytest.mark.parametrize("case", SEEING)
def test_models_of_pictures_are_refused_before_anything_is_written(case: str, tmp_path: Path, refused: Refused) -> None:
    change, expected = SEEING[case]
    refused(tmp_path, [*seeing(tmp_path, change), "--engines", "eager"], expected)


@pytest.mark.parametrize("case", MODELS)
def test_models_are_refused_before_anything_is_written(case: str, tmp_path: Path, refused: Refused) -> None:
    change, expected = MODELS[case]
    refused(tmp_path, [*spoiled(tmp_path, change), "--engines", "eager"], expected)


def test_a_label_that_the_model_never_saw_is_named(tmp_path: Path, refused: Refused) -> None:
    name = model(tmp_path, labels=2)
    config = json.loads((Path(name) / "config.json").read_text(encoding="utf-8"))
    config["id2label"], config["label2id"] = {"0": "yes", "1": "no"}, {"yes": 0, "no": 1}
    (Path(name) / "config.json").write_text(json.dumps(config), encoding="utf-8")
    pairs = [*many(), *[(f"perhaps {i}", "maybe") for i in range(300)]]
    refused(tmp_path, [name, "--data", rows(tmp_path / "d.csv", pairs), "--engines", "eager"], "'maybe'")


@pytest.mark.parametrize(("name", "out", "expected"), [("model", "file/run", "file"), ("none", "run", "no folder")])
def test_a_program_ends_with_the_same_words_and_exit_code(name: str, out: str, expected: str, tmp_path: Path) -> None:
    """A folder that cannot be written, and a model that is not there: in a process of its own, as a user starts it."""
    model(tmp_path)
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    data = rows(tmp_path / "d.csv", many())
    words = ["optimize", str(tmp_path / name), "--data", data, "--engines", "eager", "--out", str(tmp_path / out)]
    done = subprocess.run([sys.executable, "-m", "lighten", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert expected in done.stderr and "Traceback" not in done.stderr and done.stdout == ""
    assert not (tmp_path / out).exists()
