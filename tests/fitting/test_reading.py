"""Data and model of a training are read and checked before anything is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.errors import InputError, ModelError, UnknownName
from lighten.core.matching import facts_of
from lighten.data.learned import hashes_of, save_learned
from lighten.fitting import reading
from lighten.fitting.options import FitOptions
from lighten.search.listener import Quiet


def test_rows_that_the_model_learned_from_are_not_judged_on(options: FitOptions) -> None:
    plain = reading.read_whole(options).parts
    known = hashes_of(plain.proof.ids[:5])
    found = reading.apart(options, reading.read_whole(options), {"mine": known}).parts
    assert len(found.proof) == len(plain.proof) - 5 and len(found.train) == len(plain.train) + 5
    with pytest.raises(UnknownName, match="no task named 'chess'"):
        reading.read_whole(replace(options, task="chess"))


def test_the_working_folder_is_no_model(options: FitOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    save_learned(tmp_path / "here", [], ["0123456789abcdef"])
    monkeypatch.chdir(tmp_path / "here")
    for asked in (replace(options, model="somebody/something"), replace(options, from_scratch=True)):
        assert not any(map(len, reading.learned_of(asked).values()))


def test_the_memory_is_that_of_the_workers_on_this_machine(
    options: FitOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(reading, "check_memory", lambda model, found, workers: asked.append(workers))
    told = {"RANK": "0", "WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    reading.bring(replace(options, workers=6, threads=2), reading.read_whole(options), tmp_path / "made", Quiet())
    assert asked == [2]


def test_one_class_is_refused(options: FitOptions) -> None:
    parts = reading.read_whole(options).parts
    reading.check_few(parts)
    one = replace(parts, train=parts.train.take([n for n, t in enumerate(parts.train.targets) if t == 0]))
    with pytest.raises(InputError, match="has the label"):
        reading.check_few(one)


def test_what_the_model_does_not_have_is_refused_before_anything_is_written(
    options: FitOptions, tmp_path: Path, in_this_process: None
) -> None:
    data = reading.read_whole(options)
    base = reading.bring(options, data, tmp_path / "scratch", Quiet())
    reading.check_part(options, base, data, tmp_path)  # nothing is asked, nothing is opened
    assert not (tmp_path / reading.PARTS).exists()
    with pytest.raises(InputError, match=r"--lora is 4000(.|\n)*1 to 32"):
        reading.check_part(replace(options, lora=4000), base, data, tmp_path)
    assert not options.out.exists()


def test_random_weights_are_brought_as_a_model_without_a_head(
    options: FitOptions, tmp_path: Path, in_this_process: None
) -> None:
    data = reading.read_whole(options)
    made = reading.bring(replace(options, from_scratch=True), data, tmp_path / "scratch", Quiet())
    same = reading.bring(options, data, tmp_path / "other", Quiet())
    assert not facts_of(made)["has_head"] and made.id != same.id
    with pytest.raises(ModelError):
        reading.random_weights(replace(options, model=str(tmp_path / "data.csv")), data, tmp_path / "no")
