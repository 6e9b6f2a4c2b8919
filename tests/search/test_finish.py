"""The end of a run of a language model: samples of both models side by side, which never cost the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lighten.core.artifact import Artifact
from lighten.core.budget import Budget
from lighten.core.result import Candidate
from lighten.core.rows import Parts, Rows
from lighten.nets.baselines.counts import fit_ngram
from lighten.search import finish
from lighten.search.finish import continuations
from lighten.search.options import Options
from lighten.store.artifacts import ArtifactStore
from lighten.store.study import Study
from lighten.tasks.text_classification import TextClassification
from lighten.tasks.text_generation import ANSWERS, TextGeneration

TEXTS = ["the film is good and the day is long\n"] * 4


def rows(*texts: str, references: tuple[str, ...] = ()) -> Rows:
    return Rows(texts, (0,) * len(texts), references=references)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """``run(proof, task)``: a run whose original and winner are the same small model of counts."""
    (tmp_path / "model").mkdir()
    fit_ngram(TEXTS, 6).save(tmp_path / "model")
    artifact = Artifact.seal(tmp_path / "model", format="byte-lm")
    study = Study(tmp_path / "study.db")
    study.save(Candidate(0, "as it is @ numpy", (), "numpy", state="ok", artifact=artifact.id, role="original"))
    workshop = SimpleNamespace(make=lambda base, chain, **_: base, build=lambda made, engine: made)

    def make(proof: Rows, task: Any = None) -> Any:
        none = rows()
        return SimpleNamespace(
            task=task or TextGeneration(),
            parts=Parts(none, none, none, proof, ()),
            folder=SimpleNamespace(study=study, path=tmp_path, store=ArtifactStore(tmp_path / "store")),
            workshop=workshop,
            original=artifact,
            options=SimpleNamespace(model="m", seed=0),
            facts={"format": "byte-lm", "language": True},
            budget=Budget((), (), "tpot"),
            clock=SimpleNamespace(left=60.0, seconds=None),
            threads=1,
            notes=[],
        )

    return make


def winner(run: Any) -> Candidate:
    return Candidate(3, "same @ numpy", (), "numpy", state="ok", artifact=run.original.id)


def test_documents_are_continued_from_their_first_words(run: Callable[..., Any]) -> None:
    made = run(rows("the film is good and the day is long and the film is good and so is the day"))
    (one,) = continuations(made, winner(made))
    assert one.prompt == "the film is good and the day is long and the film"
    assert one.original == one.winner
    assert one.original.startswith(" is good and the day")
    assert made.notes == []


def test_prompts_are_asked_whole_and_answers_end_where_the_task_says(run: Callable[..., Any]) -> None:
    task = TextGeneration(evidence=ANSWERS, prefix="the film is good\n")
    made = run(rows("the film is", references=("good",)), task)
    (one,) = continuations(made, winner(made))
    assert one.prompt == "the film is"
    assert one.winner == "good and the day is long"


def test_what_goes_wrong_with_a_sample_is_a_note(run: Callable[..., Any]) -> None:
    made = run(rows("a b c d e f g h i j k l m n o p"))
    assert continuations(made, Candidate(3, "gone", (), "no_such_engine", state="ok")) == ()
    assert made.notes[0].startswith("There are no sample continuations: UnknownName: There is no engine named")


def test_other_models_write_nothing(run: Callable[..., Any]) -> None:
    made = run(rows("a"), TextClassification())
    assert continuations(made, winner(made)) == ()


def test_a_winner_that_ranks_choices_writes_nothing_and_nothing_went_wrong(run: Callable[..., Any]) -> None:
    made = run(rows("a b c d e f g h"), TextGeneration(evidence="choices", choices=(" a", " b")))
    ranks = SimpleNamespace(format="linear", id=made.original.id)
    made.workshop = SimpleNamespace(make=lambda base, chain, **_: base, build=lambda model, engine: ranks)
    assert continuations(made, winner(made)) == ()
    assert made.notes == []


def test_the_winner_knows_the_columns_of_its_data(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(rows("a text"), TextClassification())
    monkeypatch.setattr(finish, "file_of", lambda run, winner: made.original)
    made.options = Options("m", "d.csv", Path("out"), task="text_classification", group="none", text="title")
    found = finish.take_winner(made, winner(made), {"text": "title", "label": "stars"})
    assert found.meta["data"] == {"text": "title", "label": "stars", "group": "none"}


def ended(made: Any, monkeypatch: pytest.MonkeyPatch) -> Candidate:
    """What is taken as the winner of a run whose store has it as it is."""
    monkeypatch.setattr(finish, "file_of", lambda run, winner: made.original)
    made.options = Options("m", "d.csv", Path("out"), task="text_generation")
    return replace(winner(made), engine_settings={"threads": 2})


def test_the_winner_is_copied_whole_and_says_how_it_is_used(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = run(rows("a text"))
    best = ended(made, monkeypatch)
    (tmp_path / ".winner.part").mkdir()
    (tmp_path / ".winner.part" / "of a run that was killed").touch()
    found = finish.take_winner(made, best, {})
    assert found.path == tmp_path / "winner"
    opened = Artifact.open(found.path)  # which compares every file with its hash
    assert (opened.id, opened.format, opened.files) == (made.original.id, made.original.format, made.original.files)
    assert opened.meta["engine"] == {"use": "numpy", "threads": 2} and opened.meta["threads"] == 1
    assert opened.meta["asked"]["use"] == "text_generation" and opened.meta["task"] == "text_generation"
    assert [path.name for path in tmp_path.glob(".winner*")] == []


def test_a_winner_takes_the_place_of_an_older_one_whole_or_not_at_all(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = run(rows("a text"))
    best = ended(made, monkeypatch)
    (tmp_path / "winner").mkdir()
    (tmp_path / "winner" / "README.md").write_text("the older one")

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk, pytest.raises(OSError, match="No space"):
        disk.setattr(finish.shutil, "copyfile", full)
        finish.take_winner(made, best, {})
    assert [path.name for path in (tmp_path / "winner").iterdir()] == ["README.md"]
    found = finish.take_winner(made, best, {})
    assert not (found.path / "README.md").exists() and Artifact.open(found.path).id == made.original.id
    assert [path.name for path in tmp_path.glob(".winner*")] == []
