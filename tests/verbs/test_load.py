"""An open model says of a text what it was made for: a label, an answer, or how likely the text is."""

from __future__ import annotations

import csv
from math import e, log
from pathlib import Path

import pytest

import lighten
from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, InputError, ModelError
from lighten.core.language import Span
from lighten.core.prediction import Prediction
from lighten.engines.numpy import ByteSession
from lighten.models.bring import bring
from lighten.nets.baselines.byte_model import BOUNDARY, symbols_of
from lighten.nets.baselines.opening import open_byte_lm
from lighten.readers.text import Encoder
from lighten.testing.fake import fake_artifact
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_gguf
from lighten.testing.tiny_pictures import LABELS, tiny_pictures, tiny_vision_folder
from lighten.verbs.load import engine_of, resolved, unread

from .conftest import ANSWERED, CHOSEN, MOODS, PROMPT, Counted, document


def test_choices_are_labels_with_probabilities_of_a_prompt(counted: Counted, moods: list[str], tmp_path: Path) -> None:
    folder = counted("m", moods, 8, asked=CHOSEN, data={"prompt": PROMPT}, labels=list(MOODS))
    with lighten.load(folder) as model:
        assert model.labels == MOODS
        found = model.predict(["place 7y", {"place": "place 8n"}])
        assert [one.label for one in found] == ["good", "bad"]
        assert sum(found[0].scores.values()) == pytest.approx(1.0) and not found[0].measures
        # Two choices after the same context: their probabilities are in the ratio of their likelihoods.
        session = ByteSession(open_byte_lm(folder))
        context = (BOUNDARY, *symbols_of("Say good or bad.\nplace 7y:"))
        good, bad = session.score([Span(context, tuple(symbols_of(f" {mood}"))) for mood in MOODS])
        odds = float(good.logprobs.sum() - bad.logprobs.sum())
        assert log(found[0].scores["good"] / found[0].scores["bad"]) == pytest.approx(odds)
        path = tmp_path / "p.csv"
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows([("place", "note"), ("place 1y", "x"), ("place 2n", "y")])
        assert [one.label for one in model.predict(model.read(path))] == ["good", "bad"]


def test_without_a_known_prompt_texts_are_whole_prompts(counted: Counted, moods: list[str]) -> None:
    folder = counted("m", moods, 8, asked=CHOSEN)
    with lighten.load(folder) as model:
        assert [one.label for one in model.predict(["place 7y:", "place 8n:"])] == ["good", "bad"]
    with lighten.load(folder, prompt="{place}:") as model:
        assert [one.label for one in model.predict(["place 7y", "place 8n"])] == ["good", "bad"]


def test_answers_are_texts(counted: Counted) -> None:
    texts = [f"{a}+{b}={a + b}\nnext" for a in range(3) for b in range(3)] * 3
    folder = counted("m", texts, 8, asked=ANSWERED, data={"prompt": "{sum}=", "answer": "right"})
    with lighten.load(folder) as model:
        assert model.predict(["1+2", "2+0"]) == [Prediction("3"), Prediction("2")]


def test_documents_get_bits_per_byte(counted: Counted) -> None:
    folder = counted("m")
    text = document(3)
    nats = -open_byte_lm(folder).score([Span((BOUNDARY,), tuple(symbols_of(text)))])[0].logprobs.sum()
    with lighten.load(folder) as model:
        (known, strange) = model.predict([text, "Zyx wvu, tsr!"])
        assert known.measures["bits_per_byte"] == pytest.approx(nats / log(2) / len(text.encode()))
        assert known.label == "" and known.scores == {}
        assert strange.measures["bits_per_byte"] > known.measures["bits_per_byte"]
        assert model.predict([]) == []
        with pytest.raises(InputError, match="list of inputs"):
            model.predict(text)
        with pytest.raises(InputError, match="nothing of it can be scored"):
            model.predict([""])


@pytest.mark.usefixtures("fake_engine")
def test_a_classifier_is_asked_texts_as_they_are(tmp_path: Path) -> None:
    with lighten.load(fake_artifact(tmp_path / "m").path) as model:
        found = model.predict(["four", "three"])
    assert [one.label for one in found] == ["even", "odd"]
    assert found[0].scores["even"] == pytest.approx(e / (e + 1))


def test_files_and_folders_of_language_models_are_resolved_with_their_engine(tmp_path: Path) -> None:
    made = tiny_gguf("llama", tmp_path / "tiny")
    artifact, engine = resolved(str(made.path / "model.gguf"), tmp_path / "one")
    assert (artifact.format, type(engine).__name__) == ("gguf", "Llama")
    artifact, engine = resolved(str(tmp_path / "tiny" / "hf"), tmp_path / "two")
    assert (artifact.format, type(engine).__name__) == ("hf-causal", "Eager")
    artifact, engine = resolved(str(made.path), tmp_path / "three")
    assert artifact.path == made.path and not (tmp_path / "three").exists(), "an artifact is not copied"


def test_a_model_without_a_head_and_a_format_without_an_engine_are_refused(tmp_path: Path) -> None:
    tiny_network_folder(tmp_path / "encoder", layers=1, labels=None)
    with pytest.raises(ModelError, match="no classification head"):
        resolved(str(tmp_path / "encoder"), tmp_path / "scratch")
    with pytest.raises(ModelError, match="No engine opens a model of format stone"):
        engine_of(Artifact(tmp_path, "", "stone", {}))
    assert type(engine_of(Artifact(tmp_path, "", "hf", {}))).__name__ == "Eager"


def test_a_model_is_resolved_with_a_limit_and_its_own_files_stay(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", layers=1)
    artifact, _ = resolved(str(folder), tmp_path / "one", 9)
    again, _ = resolved(str(artifact.path), tmp_path / "two", 5)
    limits = [Encoder.open(place).max_tokens for place in (folder, artifact.path, again.path)]
    assert limits == [64, 9, 5]


def test_where_inputs_are_files_their_paths_are_asked_and_named(tmp_path: Path) -> None:
    folder = tiny_vision_folder(tmp_path / "m")
    Artifact.seal(folder, format="hf-image", meta={"labels": list(LABELS)})
    rows = tiny_pictures(tmp_path / "p", 3)
    paths = [str(tmp_path / "p" / f"{at}.png") for at in range(3)]
    with lighten.load(folder) as model:
        found = model.predict(rows.inputs)  # type: ignore[arg-type]
        assert [one.file for one in found] == paths
        assert model.predict(paths) == model.predict([Path(path) for path in paths]) == found
        with pytest.raises(InputError, match="takes a list of inputs"):
            model.predict(Path(paths[0]))  # type: ignore[arg-type]
        with pytest.raises(DataError, match=r"gone\.png cannot be read"):
            model.predict(["gone.png"])


def test_a_path_is_no_text(counted: Counted, moods: list[str]) -> None:
    with lighten.load(counted("m", moods, 8)) as model, pytest.raises(InputError, match=r"inputs of .* are no files"):
        model.predict([Path("photo.jpg")])


def test_what_a_classifier_does_not_read_is_a_note(tmp_path: Path) -> None:
    folder = tiny_network_folder(tmp_path / "net", layers=1)
    models = {"mine": bring(str(folder), tmp_path / "a"), "shorter": bring(str(folder), tmp_path / "b", longest=5)}
    (only,) = unread(models, ("the film was very good", "bad film"))
    assert only.startswith("shorter reads at most 5 tokens") and "1 of 2 texts in your data (50%)" in only
    assert len(unread(models, ("这部",))) == 2
