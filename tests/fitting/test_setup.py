"""What a training takes is read and checked before its folder is made, and not read again where the folder has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.data_options import DataOptions
from lighten.core.errors import InputError
from lighten.fitting import reading
from lighten.fitting.options import FitOptions
from lighten.fitting.run import train_model
from lighten.fitting.setup import opened, without_labels
from lighten.nets.gguf.file import FILE
from lighten.nets.training.lesson import FILE as LESSON
from lighten.search.listener import Quiet
from lighten.testing.tiny_language import tiny_gguf, tiny_texts


def test_rows_without_labels_are_not_read_again_once_they_are_kept(options: FitOptions) -> None:
    asked = replace(options, unlabelled="nowhere.csv", resume=True)
    data = reading.read_whole(options)
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        without_labels(asked, data)
    options.out.mkdir()
    (options.out / LESSON).touch()
    assert without_labels(asked, data) is None


def test_what_a_packed_model_does_not_have_is_refused_before_anything_is_written(
    options: FitOptions, tmp_path: Path, in_this_process: None
) -> None:
    path = tmp_path / "documents.jsonl"
    texts = [" ".join(tiny_texts(6, seed=number)) for number in range(120)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    model = tiny_gguf("llama", tmp_path / "gguf").path / FILE
    asked = replace(options, model=str(model), data=str(path), task="text_generation", freeze="9", threads=1)
    with pytest.raises(InputError, match=r"--freeze is 9, and \w+ has \d blocks"):
        train_model(asked)
    assert not options.out.exists()
    result = train_model(replace(asked, freeze="1", epochs=1.0))
    assert result.settings["freeze"] == "1"
    assert len(list((options.out / "store").iterdir())) == 2  # as it was brought, and as floats, unpacked once


def test_what_a_model_does_not_read_is_said_before_any_time_is_spent(
    options: FitOptions, in_this_process: None
) -> None:
    class Notes(Quiet):
        """Remembers what is said."""

        def __init__(self) -> None:
            self.said: list[str] = []

        def note(self, text: str) -> None:
            """Remember it."""
            self.said.append(text)

    asked, heard = replace(options, of_data=DataOptions(longest=4)), Notes()
    data = reading.read_whole(asked)
    folder, _, found, _ = opened(asked, data, data, 1, heard)
    folder.close()
    (cut,) = [note for note in heard.said if "reads at most 4 tokens" in note]
    assert cut in found.parts.notes, "the result and the report have it, too"
    assert found.parts.fingerprint == data.parts.fingerprint
    again, _, resumed, _ = opened(replace(asked, resume=True), data, data, 1, Quiet())
    again.close()
    assert cut in resumed.parts.notes
