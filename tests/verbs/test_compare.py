"""Compared on new data: every row counts, language models are asked what the winner was made for."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.errors import BudgetError, DataError, InputError, UnknownName
from lighten.search.start import meters
from lighten.testing.fake import fake_artifact
from lighten.verbs.compare import compare, floor_of

from .conftest import ANSWERED, CHOSEN, MOODS, PROMPT, Counted, document

pytestmark = pytest.mark.usefixtures("fake_engine")


def table(path: Path, rows: list[tuple[str, ...]], *head: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


def test_documents_are_compared_by_bits_per_byte_within_a_per_cent(counted: Counted, documents: Path) -> None:
    texts = [document(i) for i in range(200)]
    original, same, worse = counted("o", texts), counted("s", texts), counted("w", texts, 2)
    found = compare(original, same, documents, threads=1)
    assert (found.verdict.metric, found.verdict.state, found.n) == ("bits_per_byte", "holds", 60)
    before = found.before["bits_per_byte"].value
    assert before is not None and found.verdict.margin == pytest.approx(0.01 * before)
    assert found.after["token_flips"].value == 0.0 and found.flips == () and found.groups == ()
    lost = compare(original, worse, documents, threads=1)
    assert lost.verdict.state == "worse" and not lost.verdict.holds
    assert lost.to_json()["quality"]["bits_per_byte"]["original"] == before
    json.dumps(lost.to_json())


def test_choices_are_compared_with_the_winners_prompt_and_choices(
    counted: Counted, moods: list[str], tmp_path: Path
) -> None:
    rows = [(f"place {i}{'yn'[i % 2]}", MOODS[i % 2].upper(), "east" if i % 3 else "west") for i in range(40)]
    path = table(tmp_path / "p.csv", rows, "place", "mood", "domain")
    original = counted("original", moods, 1)
    winner = counted("winner", moods, 8, asked=CHOSEN, data={"prompt": PROMPT}, labels=list(MOODS))
    found = compare(original, winner, path, label="mood", margin="1pt", threads=1)
    assert (found.verdict.metric, found.n) == ("accuracy", 40)
    assert found.after["accuracy"].value == 1.0 and found.before["accuracy"].value == 0.5
    assert {flip.kind for flip in found.flips} == {"fixed"} and {flip.winner for flip in found.flips} <= set(MOODS)
    assert found.flips[0].text.endswith(":"), "what was asked, without the examples before it"
    assert [group.name for group in found.groups] == ["east", "west"]
    with pytest.raises(DataError, match="not among the choices"):
        compare(original, winner, table(tmp_path / "q.csv", [("a y", "fine"), ("b n", "bad")], "place", "mood"))


def test_choices_can_be_named_for_models_that_say_nothing(counted: Counted, moods: list[str], tmp_path: Path) -> None:
    rows = [(f"place {i}{'yn'[i % 2]}", MOODS[i % 2]) for i in range(30)]
    path = table(tmp_path / "p.csv", rows, "place", "mood")
    one, other = counted("one", moods, 8), counted("other", moods, 7)
    found = compare(one, other, path, prompt=PROMPT, choices="good,bad", threads=1)
    assert found.before["accuracy"].value == found.after["accuracy"].value == 1.0
    assert found.flips == ()


def test_answers_are_compared_by_exact_match(counted: Counted, tmp_path: Path) -> None:
    texts = [f"{a}+{b}={a + b}\nnext" for a in range(4) for b in range(4)] * 3
    path = table(tmp_path / "s.csv", [(f"{a}+{b}", str(a + b)) for a in range(4) for b in range(4)], "sum", "right")
    data = {"prompt": "{sum}=", "answer": "right"}
    original, winner = counted("o", texts, 8), counted("w", texts, 7, asked=ANSWERED, data=data)
    found = compare(original, winner, path, threads=1)
    assert found.verdict.metric == "exact_match"
    assert found.before["exact_match"].value == found.after["exact_match"].value == 1.0
    assert found.after["answer_flips"].value == 0.0


def test_classifiers_are_compared_class_by_class_whatever_their_order(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", [("x" * (3 + i), "even" if i % 2 else "odd") for i in range(50)], "text", "label")
    one = fake_artifact(tmp_path / "one").path
    two = fake_artifact(tmp_path / "two").path
    Artifact.seal(two, format="fake", meta={"labels": ["odd", "even"]})  # answers the other way round
    found = compare(one, two, path, text="text", threads=1)
    assert found.before["accuracy"].value == 1.0 and found.after["accuracy"].value == 0.0
    assert (found.verdict.state, len(found.flips)) == ("worse", 50)
    Artifact.seal(two, format="fake", meta={"labels": ["odd", "strange"]})
    with pytest.raises(InputError, match="do not have the same labels"):
        compare(one, two, path)


def test_margins_are_read_in_the_metrics_own_unit() -> None:
    documents, _ = meters(catalog.load("tasks", "text_generation")())
    classes, _ = meters(catalog.load("tasks", "text_classification")())
    per_cent = floor_of(documents, "bits_per_byte", "2%")
    assert per_cent.margin(1.5, "lower") == pytest.approx(0.03) and "bits_per_byte within 2%" in per_cent.text
    assert floor_of(documents, "bits_per_byte", None).margin(2.0, "lower") == pytest.approx(0.02)
    assert floor_of(documents, "bits_per_byte", "0.05").margin(1.5, "lower") == pytest.approx(0.05)
    assert floor_of(classes, "accuracy", None).margin(0.9, "higher") == pytest.approx(0.01)
    assert floor_of(classes, "accuracy", "1%").margin(0.5, "higher") == pytest.approx(0.01), "a point, as in --keep"
    with pytest.raises(BudgetError, match="has no points"):
        floor_of(documents, "bits_per_byte", "1pt")
    with pytest.raises(UnknownName, match="'accuracy'"):
        floor_of(documents, "accuracy", None)


def test_data_that_does_not_allow_the_metric_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", [("x" * (3 + i), "even" if i % 2 else "odd") for i in range(40)], "text", "label")
    model = fake_artifact(tmp_path / "one").path
    with pytest.raises(DataError, match="does not allow to compare by worst_group"):
        compare(model, model, path, text="text", metric="worst_group", threads=1)
