"""What labels mean to a model is found before a search: rows decide what only a convention says, or it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lighten.core.errors import DataError
from lighten.core.rows import Parts, Rows
from lighten.data.classes import DECIDED, NAMED, NUMBERED, ORDERED, TOLD
from lighten.models.bring import bring
from lighten.search.classes import agreement, settle_classes, suit
from lighten.tasks.text_classification import TextClassification
from lighten.testing.tiny_pictures import tiny_vision_folder

NONE = ("LABEL_0", "LABEL_1")


def part(name: str, n: int, classes: int = 2) -> Rows:
    """Texts that end in their class."""
    return Rows(tuple(f"{name} {i} {i % classes}" for i in range(n)), tuple(i % classes for i in range(n)))


def data(labels: Sequence[str]) -> Parts:
    sizes = {"train": 200, "tune": 50, "select": 40, "proof": 60}
    return Parts(**{name: part(name, n, len(labels)) for name, n in sizes.items()}, labels=tuple(labels))


class Classifier:
    """A model that knows the class of every text; ``order`` says which of its outputs stands for which class.

    Args:
        wrong: one text in so many gets another class; 0 for none.
    """

    def __init__(self, *order: int, wrong: int = 12) -> None:
        self.order, self.wrong = order, wrong
        self.seen: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[Any]:
        self.seen += texts
        classes = [int(text.split()[-1]) for text in texts]
        said = [(c + 1) % len(self.order) if self.wrong and i % self.wrong == 0 else c for i, c in enumerate(classes)]
        return np.eye(len(self.order))[[self.order[c] for c in said]]


def settle(names: Sequence[str], labels: Sequence[str], model: Classifier, told: Sequence[str] = ()) -> Any:
    return settle_classes(data(labels), names, told, model, TextClassification(), model="the model", seed=0)


def test_rows_decide_the_order_of_a_model_without_names() -> None:
    found = settle(NONE, ("negative", "positive"), Classifier(1, 0))
    assert found.classes.how == DECIDED and found.parts.labels == ("positive", "negative")
    assert found.parts.proof.targets[:2] == (1, 0), "targets are outputs of the model"
    assert found.tune_right > 0.8 and "decide which is which" in found.parts.notes[-1]
    straight = settle(NONE, ("negative", "positive"), Classifier(0, 1))
    assert straight.classes.how == ORDERED and straight.parts.labels == ("negative", "positive")
    assert "labelled rows agree" in straight.parts.notes[-1]


def test_only_train_and_tune_are_asked() -> None:
    model = Classifier(1, 0)
    settle(NONE, ("negative", "positive"), model)
    assert {text.split()[0] for text in model.seen} == {"train", "tune"}
    named = Classifier(0, 1)
    settle(("no", "yes"), ("no", "yes"), named)
    assert {text.split()[0] for text in named.seen} == {"tune"}, "names say it already"


def test_a_model_that_knows_nothing_and_says_nothing_is_asked_about() -> None:
    blind = Classifier(0, 0)
    blind.order = (0, 0)
    with pytest.raises(DataError, match="rows cannot decide") as caught:
        settle(NONE, ("negative", "positive"), blind)
    assert "--labels negative=0,positive=1" in caught.value.fix
    told = settle(NONE, ("negative", "positive"), blind, ("negative=1", "positive=0"))
    assert told.classes.how == TOLD and told.parts.labels == ("positive", "negative")


def test_numbers_that_rows_speak_against_stop_with_both_figures() -> None:
    fine = settle(("NEGATIVE", "POSITIVE"), ("0", "1"), Classifier(0, 1))
    assert fine.classes.how == NUMBERED and fine.parts.labels == ("NEGATIVE", "POSITIVE")
    with pytest.raises(
        DataError, match=r"as given, \d\.\d% of 250 rows are right, with the labels exchanged 9"
    ) as caught:
        settle(("NEGATIVE", "POSITIVE"), ("0", "1"), Classifier(1, 0))
    assert "--labels 0=POSITIVE,1=NEGATIVE" in caught.value.fix
    told = settle(("NEGATIVE", "POSITIVE"), ("0", "1"), Classifier(1, 0), ("0=POSITIVE", "1=NEGATIVE"))
    assert told.parts.tune.targets[:2] == (1, 0) and not told.warning and told.tune_right > 0.8


def test_numbers_that_no_order_explains_may_be_classes_of_another_kind() -> None:
    for order, others in (((1, 0, 0), True), ((1, 0, 2), False)):
        with pytest.raises(DataError, match="speak against") as caught:
            settle(("shirt", "shoe", "bag"), ("0", "1", "2"), Classifier(*order))
        assert ("classes of another kind, give them their names" in caught.value.fix) is others


def test_names_that_rows_speak_against_stop_too_unless_the_user_insists() -> None:
    with pytest.raises(DataError, match="speak against"):
        settle(("no", "yes"), ("no", "yes"), Classifier(1, 0))
    told = settle(("no", "yes"), ("no", "yes"), Classifier(1, 0), ("no=no", "yes=yes"))
    assert told.classes.how == TOLD and "speak against" in told.warning


def test_a_weak_model_with_names_is_no_reason_to_stop() -> None:
    found = settle(("a", "b", "c"), ("a", "b", "c"), Classifier(0, 1, 2, wrong=2))
    assert found.classes.how == NAMED and not found.warning


def test_an_order_of_many_is_decided_only_when_every_pair_is_clear() -> None:
    names, labels = tuple(f"LABEL_{i}" for i in range(4)), ("a", "b", "c", "d")
    found = settle(names, labels, Classifier(2, 0, 3, 1))
    assert found.classes.how == DECIDED and found.parts.labels == ("b", "d", "a", "c")


def test_labels_that_the_user_makes_one_are_one_class() -> None:
    found = settle(("neg", "pos"), ("Pos", "neg", "pos"), Classifier(0, 1, 1), ("Pos=pos",))
    assert found.parts.labels == ("neg", "pos") and set(found.parts.train.targets) == {0, 1}


@pytest.mark.parametrize(
    ("order", "kept", "said"),
    [
        ((0, 1, 2), True, "As places in the list of the 3 classes of the model, 9"),
        ((2, 2, 2), False, "0.0% of 100 labelled rows are right, so they are something else: a new head"),
    ],
)
def test_rows_say_whether_numbers_are_places_in_a_longer_list(
    tmp_path: Path, order: tuple[int, ...], kept: bool, said: str
) -> None:
    artifact, notes = bring(str(tiny_vision_folder(tmp_path / "a")), tmp_path / "b"), list[str]()
    found = suit(artifact, data(("0", "1")), "the model", notes.append, Classifier(*order), seed=0)
    assert (found.id == artifact.id, found.meta["labels"] == []) == (kept, not kept)
    (note,) = notes
    assert said in note and ("a new head is trained" in note) is not kept


def test_a_model_is_asked_only_where_numbers_leave_it_open(tmp_path: Path) -> None:
    artifact, notes = bring(str(tiny_vision_folder(tmp_path / "a")), tmp_path / "b"), list[str]()

    def answer(texts: Sequence[Any]) -> NDArray[Any]:
        raise AssertionError("nothing is to be asked")

    assert suit(artifact, data(("0", "1", "2")), "the model", notes.append, answer, seed=0) == artifact
    assert suit(artifact, data(("dark", "bright")), "the model", notes.append, answer, seed=0) == artifact
    assert not notes
    bare = suit(artifact, data(("shirt", "shoe")), "the model", notes.append, answer, seed=0)
    assert bare.meta["labels"] == [] and notes[0].startswith("None of the 3 classes of the model is a label")


def test_agreement_is_more_than_answers_and_labels_meet_by_chance() -> None:
    targets = [0, 1] * 50
    assert agreement([3, 5] * 50, targets, (3, 5)) == (1.0, True)
    assert agreement([3] * 100, targets, (3, 5)) == (0.5, False), "always the same answer says nothing"
    assert agreement([7] * 100, targets, (3, 5)) == (0.0, False)
