"""Which class of a model a label of the data means: as people spell labels; asked where two readings fit."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighten.core.errors import DataError
from lighten.data.classes import DECIDED, NAMED, NUMBERED, ORDERED, SPELLED, TOLD, as_places, match_classes, unrelated
from lighten.data.labels import folded_label, is_unnamed

STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
SENTIMENT = ("NEGATIVE", "POSITIVE")
NONE = ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize(
    ("names", "labels", "places", "how"),
    [
        (("yes", "no"), ("no", "yes"), (1, 0), NAMED),
        (("Yes", "yes"), ("Yes", "yes"), (0, 1), NAMED),  # the data tells them apart, and so does the model
        (SENTIMENT, ("negative", "positive"), (0, 1), SPELLED),
        (("Very_Positive", "not good"), ("not-good", "very positive"), (1, 0), SPELLED),
        (("False", "True"), ("false", "true"), (0, 1), SPELLED),  # a csv of booleans
        (("True", "False"), ("no", "yes"), (1, 0), SPELLED),
        (("no", "yes"), ("false", "true"), (0, 1), SPELLED),
        (SENTIMENT, ("0", "1"), (0, 1), NUMBERED),
        (SENTIMENT, ("1", "2"), (0, 1), NUMBERED),
        (SENTIMENT, ("-1", "1"), (0, 1), NUMBERED),
        (SENTIMENT, ("false", "true"), (0, 1), NUMBERED),
        (("bad", "fair", "good"), ("-1", "0", "1"), (0, 1, 2), NUMBERED),
        (SENTIMENT, ("0", "4"), (0, 1), ORDERED),
        (("False", "True"), ("0", "1"), (0, 1), NUMBERED),
        (STARS, ("1", "2", "3", "4", "5"), (0, 1, 2, 3, 4), SPELLED),
        (STARS, ("2", "3"), (1, 2), SPELLED),
        (STARS, ("0", "1", "2", "3", "4"), (0, 1, 2, 3, 4), NUMBERED),
        (("World", "Sports", "Business", "Tech"), ("1", "2", "3", "4"), (0, 1, 2, 3), NUMBERED),
        (NONE, ("0", "1"), (0, 1), NUMBERED),
        (NONE, ("negative", "positive"), (0, 1), ORDERED),
        (("0", "1"), ("ham", "spam"), (0, 1), ORDERED),
        (("0", "1"), ("0", "1"), (0, 1), NAMED),
    ],
)
def test_labels_are_matched(names: tuple[str, ...], labels: tuple[str, ...], places: tuple[int, ...], how: str) -> None:
    found = match_classes(names, labels)
    assert (found.places, found.how) == (places, how)
    assert found.index == dict(zip(labels, places, strict=True))
    assert (found.note == "") == (how == NAMED), "whatever is not the name itself is said"
    assert found.names == (labels if how == ORDERED and is_unnamed(names) else found.names)
    again = match_classes(names, labels, found.told)
    assert again.places == places, "what was found, told as --labels, is the same"


def test_a_model_without_names_takes_those_of_the_data() -> None:
    found = match_classes(NONE, ("negative", "positive"), model="m")
    assert found.names == ("negative", "positive") and "have no names" in found.note
    exchanged = found.moved((1, 0), DECIDED, "rows say so")
    assert exchanged.names == ("positive", "negative") and exchanged.told == ("negative=1", "positive=0")
    assert match_classes(NONE, found.labels, exchanged.told).names == exchanged.names
    record = exchanged.record()
    assert record["own"] == list(NONE) and record["labels"] == ["negative=1", "positive=0"]
    assert record["places"] == {"negative": 1, "positive": 0} and record["note"] == "rows say so"


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        (("bad", "fair", "good"), ("1", "2"), "counted from 0.*counted from 1"),
        (("True", "False"), ("0", "1"), "1 for true.*counted from 0"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(names: tuple[str, ...], labels: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=r"in 2 ways") as caught:
        match_classes(names, labels)
    assert re.search(said, caught.value.allowed)
    ways = re.findall(r"--labels (\S+)", caught.value.fix)
    assert len({match_classes(names, labels, way.split(",")).places for way in ways}) == 2, "each way can be pasted"


def test_labels_that_the_data_tells_apart_are_not_made_one_unasked() -> None:
    labels = ("Positive", "negative", "positive")
    with pytest.raises(DataError, match="'Positive' and 'positive' apart") as caught:
        match_classes(("negative", "positive"), labels)
    assert "--labels Positive=positive,negative=negative,positive=positive" in caught.value.fix
    told = match_classes(("negative", "positive"), labels, ("Positive=positive",))
    assert (told.places, told.how) == ((1, 0, 1), TOLD)


def test_a_label_that_is_no_class_is_named_with_what_it_could_be() -> None:
    with pytest.raises(DataError, match=r"never trained on the labels 'neg', 'pos' of the data") as caught:
        match_classes(SENTIMENT, ("neg", "pos"))
    assert caught.value.allowed == "NEGATIVE, POSITIVE" and "--labels neg=NEGATIVE,pos=POSITIVE" in caught.value.fix
    with pytest.raises(DataError, match=r"'maybe' \(row 3, 9\)"):
        match_classes(("yes", "no"), ("maybe", "no", "yes"), rows={"maybe": [3, 9]})
    with pytest.raises(DataError, match="'b'"):
        match_classes(("LABEL_0", "LABEL_1", "LABEL_2"), ("a", "b"))


@pytest.mark.parametrize(
    ("names", "labels", "told", "places"),
    [
        (SENTIMENT, ("0", "1"), ("0=positive", "1=negative"), (1, 0)),
        (NONE, ("negative", "positive"), ("negative=1", "positive=0"), (1, 0)),
        (NONE, ("negative", "positive"), ("0=positive", "1=negative"), (1, 0)),  # the other way round
        (NONE, ("negative", "positive"), ("LABEL_0=positive", "LABEL_1=negative"), (1, 0)),
        (SENTIMENT, ("neg", "positive"), ("neg=NEGATIVE",), (0, 1)),
        (SENTIMENT, ("neg", "pos"), ("neg=0", "pos=1", "other=0"), (0, 1)),  # other data has the third
        (("a=b", "c, d"), ("x", "y=z"), ("x=a=b", "y=z=c, d"), (0, 1)),
        (SENTIMENT, ("false", "true"), ("False=POSITIVE", "True=NEGATIVE"), (1, 0)),
    ],
)
def test_what_the_user_says_is_done(
    names: tuple[str, ...], labels: tuple[str, ...], told: tuple[str, ...], places: tuple[int, ...]
) -> None:
    found = match_classes(names, labels, told)
    assert (found.places, found.how) == (places, TOLD)


def test_what_the_user_says_and_cannot_be_meant_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be understood") as caught:
        match_classes(SENTIMENT, ("0", "1"), ("0=nagative", "1=positive"))
    assert "0, 1" in caught.value.allowed and "NEGATIVE, POSITIVE" in caught.value.allowed
    with pytest.raises(DataError, match="says nothing of 'b'"):
        match_classes(SENTIMENT, ("a", "b"), ("a=NEGATIVE",))


@given(st.lists(st.text(min_size=1), min_size=2, max_size=6, unique_by=folded_label), st.randoms())
def test_names_match_themselves_in_any_order(names: list[str], rng: object) -> None:
    labels = sorted(names, key=lambda _: rng.random())  # type: ignore[attr-defined]
    found = match_classes(names, labels)
    assert found.how == NAMED and [names[place] for place in found.places] == labels
    assert found.told == () and found.names == tuple(names)


@pytest.mark.parametrize(
    ("own", "labels", "expected"),
    [
        (("cat", "dog"), ("Dog ", "cat"), False),
        (("cat", "dog"), ("cat", "cow"), False),  # one of them is known: the other is a mistake to be told
        (("cat", "dog"), ("shirt", "shoe"), True),
        (("cat", "dog", "cow"), ("0", "1"), True),
        (("cat", "dog"), ("0", "1"), False),
        (("LABEL_0", "LABEL_1"), ("a", "b"), False),
        (("LABEL_0", "LABEL_1"), ("a", "b", "c"), True),
    ],
)
def test_labels_that_mean_none_of_the_classes_are_told(
    own: tuple[str, ...], labels: tuple[str, ...], expected: bool
) -> None:
    assert unrelated(own, labels) is expected


@pytest.mark.parametrize(
    ("own", "labels", "places"),
    [
        (("cat", "dog", "cow"), ("0", "2"), [(0, 2)]),
        (("cat", "dog", "cow"), ("1", "2"), [(1, 2), (0, 1)]),
        (("LABEL_0", "LABEL_1", "LABEL_2"), ("0", "1"), [(0, 1)]),
        (("cat", "dog", "cow"), ("0", "7"), []),
        (("cat", "dog"), ("0", "1"), []),
        (("1 star", "2 stars", "3 stars"), ("1", "2"), []),
        (("cat", "dog", "cow"), ("cat", "dog"), []),
        (("cat", "dog", "cow"), ("shirt", "shoe"), []),
    ],
)
def test_numbers_may_be_places_in_a_longer_list_of_classes(
    own: tuple[str, ...], labels: tuple[str, ...], places: list[tuple[int, ...]]
) -> None:
    assert as_places(own, labels) == places
