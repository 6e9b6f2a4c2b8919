"""The job as a whole: what went wrong names the command that goes on. The rest is in tests/verbs/test_train.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import Interrupted, SessionCrashed, StepFailed
from lighten.fitting import run
from lighten.fitting.options import FitOptions
from lighten.testing.tiny import tiny_network_folder, toy_rows


@pytest.fixture
def options(tmp_path: Path) -> FitOptions:
    tiny_network_folder(tmp_path / "net", layers=2, labels=None)
    toy = toy_rows(200)
    rows = "".join(f"{text},{target}\n" for text, target in zip(toy.inputs, toy.targets, strict=True))
    (tmp_path / "data.csv").write_text("text,label\n" + rows, encoding="utf-8")
    return FitOptions(
        str(tmp_path / "net"), str(tmp_path / "data.csv"), tmp_path / "run", "text_classification", DataOptions()
    )


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (KeyboardInterrupt(), Interrupted, r"was interrupted(.|\n)*lighten train .*--resume"),
        (SessionCrashed("It died."), SessionCrashed, r"It died(.|\n)*last checkpoint: lighten train .*--resume"),
        (StepFailed("It came apart.", fix="lower learning_rate"), StepFailed, "lower learning_rate"),
    ],
)
def test_what_goes_wrong_says_how_to_go_on(
    options: FitOptions, monkeypatch: pytest.MonkeyPatch, error: BaseException, kind: type[Exception], words: str
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "taught", failing)
    with pytest.raises(kind, match=words):
        run.train_model(options)
    assert (options.out / "manifest.json").is_file()
