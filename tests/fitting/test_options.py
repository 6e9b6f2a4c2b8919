"""What is asked of a training is checked, written down and can be asked again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.fitting.launch import Launch
from lighten.fitting.options import FitOptions
from lighten.nets.training.schedule import Hyperparameters
from lighten.store.folder import LIMITS

PLAIN = FitOptions("m", "d.csv", Path("out"), "text_classification", DataOptions())


def test_what_is_out_of_bounds_is_refused() -> None:
    PLAIN.check()
    for name, value in (("epochs", 0.0), ("lr", -1.0), ("batch_rows", 0), ("dropout", 1.0), ("price", -1.0)):
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')} is {value}"):
            FitOptions("m", "d", Path(), "t", DataOptions(), **{name: value}).check()  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"--precision is 'int8'(.|\n)*auto, fp32, bf16"):
        FitOptions("m", "d", Path(), "t", DataOptions(), precision="int8").check()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"lora": 0}, r"--lora is 0(.|\n)*1 to 65536"),
        ({"freeze": "0"}, r"--freeze is '0'(.|\n)*embeddings, a number of blocks from 1, or all"),
        ({"freeze": "some"}, r"--freeze is 'some'"),
        ({"lora": 4, "freeze": "all"}, "--lora 4 with --freeze all: nothing is left to change"),
        ({"lora": 4, "from_scratch": True}, "--lora 4 with --from-scratch: random weights"),
    ],
)
def test_what_cannot_be_frozen_or_changed_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        FitOptions("m", "d", Path(), "t", DataOptions(), **asked).check()  # type: ignore[arg-type]


def test_the_command_asks_the_same() -> None:
    data = DataOptions(text="review", labels=("0=bad", "1=a, b"), drop_empty=True, merge_labels=False, shots=2)
    options = FitOptions(
        "m", "d.csv", Path("out"), "text_classification", data, seconds=600.0, lr=5e-5, from_scratch=True,
        freeze="embeddings", precision="bf16", threads=2, seed=3, workers=2,
    )  # fmt: skip
    words = shlex.split(options.command())
    assert words[:5] == ["lighten", "train", "m", "--data", "d.csv"]
    pairs = (
        "--time 600s", "--lr 5e-05", "--text review", "--precision bf16", "--threads 2", "--workers 2", "--seed 3",
        "--shots 2",
    )  # fmt: skip
    for pair in pairs:
        assert pair in " ".join(words)
    assert words[words.index("--labels") + 1] == '0=bad,"1=a, b"'
    assert {"--from-scratch", "--freeze", "--drop-empty", "--no-merge-labels"} <= set(words)
    assert "--epochs" not in words and words[words.index("--freeze") + 1] == "embeddings"
    assert "--lora 8" in FitOptions("m", "d", Path(), "t", DataOptions(), lora=8).command()


def test_no_digit_of_a_number_is_lost_in_the_command() -> None:
    asked = FitOptions(
        "m", "d", Path(), "t", DataOptions(), seconds=90.123456, lr=1.23456789e-4, epochs=3.0, harden=0.0312345678,
    )  # fmt: skip
    words = shlex.split(asked.command())
    values = {name: words[words.index(f"--{name}") + 1] for name in ("time", "lr", "epochs", "harden")}
    assert values == {"time": "90.123456s", "lr": "0.000123456789", "epochs": "3", "harden": "0.0312345678"}


def test_a_launcher_is_in_the_command_with_what_is_known_of_it() -> None:
    asked = FitOptions("m", "d", Path(), "t", DataOptions(), workers=4)
    assert asked.command(Launch(4, 2, 1, True)).startswith(
        "torchrun --nnodes 2 --nproc-per-node 2 ... -m lighten train m "
    )
    assert "--workers" not in asked.command(Launch(4, 2, 1, True)) and "--workers 4" in asked.command()


def test_the_settings_are_hyperparameters_and_the_manifest_holds_what_must_stay() -> None:
    asked = FitOptions("m", "d", Path("o"), "t", DataOptions(), seconds=9.0, lr=0.1, price=3.0, resume=True)
    assert Hyperparameters(**asked.settings) == Hyperparameters(learning_rate=0.1, timed=True)
    manifest = asked.manifest("abc", 4)
    assert (manifest["verb"], manifest["cores"], manifest["data_fingerprint"]) == ("train", 4, "abc")
    other = FitOptions("m", "d", Path("p"), "t", DataOptions(), seconds=9.0, lr=0.1).manifest("abc", 4)
    assert manifest.pop(LIMITS)["price"] == 3.0 and other.pop(LIMITS)["price"] is None
    assert manifest == other
