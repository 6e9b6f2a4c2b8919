"""Which class of a model a label of the data means. Every verb asks here, so that all of them give one answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lighten.core.errors import DataError
from lighten.data.cells import some_numbers
from lighten.data.labels import is_unnamed, place_named, truth_of, whole_number
from lighten.data.told_labels import option_text, places_told, suggested

NAMED, SPELLED, TOLD, DECIDED, NUMBERED, ORDERED = "named", "spelled", "told", "decided", "numbered", "ordered"
GUESSES = (NUMBERED, ORDERED)
"""How labels were matched where nothing but a convention says so: labelled rows are to confirm it."""

_NUMBER_IN_NAME = re.compile(r"(?<!\w)-?\d+(?!\d)|(?<=[A-Za-z_])\d+(?!\d)")
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Classes:
    """The labels of a data set, and the classes of a model that they mean.

    Attributes:
        names: of the model's classes, by output; where the model has none, the data's.
        own: the names as the model's config has them.
        labels: of the data. places: the output that each of them means.
        how: ``named`` (the same text), ``spelled`` (another spelling of it), ``told`` (by the user, or by the run that
            made the model), ``decided`` (by labelled rows), ``numbered`` (numbers are places in the list of classes),
            ``ordered`` (the model has no names: in order).
        note: what was taken for what; empty where the names are the same.
    """

    names: tuple[str, ...]
    own: tuple[str, ...]
    labels: tuple[str, ...]
    places: tuple[int, ...]
    how: str
    note: str = ""

    @property
    def index(self) -> dict[str, int]:
        """Output by label."""
        return dict(zip(self.labels, self.places, strict=True))

    @property
    def told(self) -> tuple[str, ...]:
        """What ``--labels`` would say to get the same; nothing where labels are the names of the classes as spelled."""
        return () if self.how in (NAMED, SPELLED) else self.saying(self.places)

    def saying(self, places: Sequence[int]) -> tuple[str, ...]:
        """Entries of ``--labels`` for other places of the same labels."""
        numbered = is_unnamed(self.own)
        return tuple(
            f"{label}={place if numbered else self.own[place]}"
            for label, place in zip(self.labels, places, strict=True)
        )

    def moved(self, places: Sequence[int], how: str, note: str) -> Classes:
        """With other places for the same labels."""
        names = _names_byplace_named(self.own, self.labels, places)
        return replace(self, names=names, places=tuple(places), how=how, note=note)

    def record(self) -> dict[str, Any]:
        """How the labels were matched, for the record of a model."""
        known = {} if self.how in (NAMED, SPELLED) else self.index
        told = list(self.told)
        return {"own": list(self.own), "how": self.how, "labels": told, "places": known, "note": self.note}


@dataclass(frozen=True, slots=True)
class _Reading:
    how: str
    places: tuple[int, ...]
    why: str


def unrelated(own: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether no label of a data set means one of a model's classes, which ``own`` names.

    Numbers are labels of their own beside classes with names, unless there are as many.
    """
    if is_unnamed(own):
        return len(own) != len(labels)
    try:
        return match_classes(own, labels, model="the model").how == NUMBERED and len(own) != len(labels)
    except DataError:
        spelled = {name.strip().casefold() for name in own}
        return not any(label.strip().casefold() in spelled for label in labels)


def as_places(own: Sequence[str], labels: Sequence[str]) -> list[tuple[int, ...]]:
    """Outputs that fewer labels than classes would mean where labels are numbers and numbers are places in the list of
    classes, by each way to count them; empty where they are no such numbers, or names say what they are."""
    if len(labels) >= len(own):
        return []
    found = list(_readings(tuple(own), tuple(labels), "the model"))
    return [one.places for one in found] if all(one.how == NUMBERED for one in found) else []


def match_classes(
    names: Sequence[str],
    labels: Sequence[str],
    told: Sequence[str] = (),
    *,
    model: str = "the model",
    rows: Mapping[str, Sequence[int]] | None = None,
) -> Classes:
    """Say which class of a model each label of the data means.

    Tried in this order, all labels by one of them: the same text; another case or spacing; yes and true, no and false;
    the number that is part of a name (``1 star``); numbers as places in the list of names, counted from 0, from 1 or
    from the middle (-1, 1), whichever fits; and for a model without names of its own (``LABEL_0``), the data's order.

    Args:
        names: of the model's classes, by output, as its config has them.
        labels: distinct labels of the data, sorted.
        told: what the user says: ``"label=class"``, the class by its name or number; or ``"class=label"``, where only
            that makes sense.
        model: for messages. rows: row numbers by label, for messages.

    Raises:
        DataError: a label that is no class, several readings that differ, two labels for one class, or entries of
            ``told`` that say nothing.
    """
    own, given = tuple(names), tuple(labels)
    if told:
        places = places_told(own, given, told, model)
        reading = _Reading(TOLD, places, f"The labels are classes of {model} as --labels says")
    else:
        readings = list(_readings(own, given, model))
        if not readings:
            raise _strange(own, given, model, rows or {})
        if len({one.places for one in readings}) > 1:
            raise _ambiguous(own, given, readings, model)
        reading = readings[0]
        _refuse_merged(own, given, reading.places, model)
    classes = Classes(_names_byplace_named(own, given, reading.places), own, given, reading.places, reading.how)
    if reading.how == NAMED:
        return classes
    return replace(classes, note=f"{reading.why}: {described(classes)}.")


def known_classes(names: Sequence[str], labels: Sequence[str], places: Sequence[int]) -> Classes:
    """Classes as they were found by the run that made a model.

    Args:
        places: output of each label.
    """
    classes = Classes(tuple(names), tuple(names), tuple(labels), tuple(places), TOLD)
    if all(names[place] == label for label, place in zip(labels, places, strict=True)):
        return replace(classes, how=NAMED)
    return replace(
        classes, note=f"Labels are taken as the run took them that made one of the models: {described(classes)}."
    )


def described(classes: Classes) -> str:
    """``'0' is 'NEGATIVE', '1' is 'POSITIVE'``: the first labels with their classes, by number without names."""
    pairs = [
        f"{label!r} is {f'output {place}' if is_unnamed(classes.own) else repr(classes.own[place])}"
        for label, place in zip(classes.labels, classes.places, strict=True)
    ]
    return ", ".join(pairs[:_SHOWN]) + (f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else "")


def _readings(own: tuple[str, ...], labels: tuple[str, ...], model: str) -> Iterator[_Reading]:
    """Every reading of the first kind that gives one; several differ only where numbers can be read in two ways."""
    spelled = [place_named(own, label) for label in labels]
    if all(place is not None for place in spelled):
        same = all(label == own[place] for label, place in zip(labels, spelled, strict=True) if place is not None)
        yield _Reading(NAMED if same else SPELLED, _whole(spelled), f"Labels are matched to the classes of {model}")
        return
    truths, own_truths = [truth_of(label) for label in labels], [truth_of(name) for name in own]
    if None not in truths and sorted(map(str, own_truths)) == ["False", "True"]:
        yield _Reading(SPELLED, tuple(own_truths.index(t) for t in truths), f"Labels are matched to those of {model}")
        return
    numbers = [whole_number(label) for label in labels]
    if None not in truths and len(own) == 2 and not any(place is not None for place in spelled):
        numbers = [int(bool(truth)) for truth in truths]
    values = [number for number in numbers if number is not None]
    if len(values) == len(labels):
        yield from _numbered(own, values, model)
    elif is_unnamed(own) and len(labels) == len(own):
        yield _Reading(ORDERED, tuple(range(len(own))), f"The classes of {model} have no names; taken in order")


def _numbered(own: tuple[str, ...], values: list[int], model: str) -> Iterator[_Reading]:
    count, nameless = len(own), is_unnamed(own)
    inside = [_NUMBER_IN_NAME.findall(name) for name in own]
    if not nameless and all(len(one) == 1 for one in inside) and len({int(one[0]) for one in inside}) == count:
        by_name = {int(one[0]): place for place, one in enumerate(inside)}
        if set(values) <= set(by_name):
            places = tuple(by_name[value] for value in values)
            yield _Reading(SPELLED, places, f"Labels are the numbers in the names of the classes of {model}")
            return
    listed = f"Labels are taken as places in the list of classes of {model}"
    truths = [truth_of(name) for name in own]
    found = []
    if sorted(map(str, truths)) == ["False", "True"] and set(values) <= {0, 1}:
        found.append(_Reading(NUMBERED, tuple(truths.index(bool(v)) for v in values), "Labels are 1 for true"))
    if all(0 <= value < count for value in values):
        found.append(_Reading(NUMBERED, tuple(values), f"{listed}, counted from 0"))
    if all(1 <= value <= count for value in values):
        found.append(_Reading(NUMBERED, tuple(value - 1 for value in values), f"{listed}, counted from 1"))
    if min(values) < 0 and all(abs(value) <= count // 2 and (value or count % 2) for value in values):
        middle = [value for value in range(-(count // 2), count // 2 + 1) if value or count % 2]
        found.append(_Reading(NUMBERED, tuple(map(middle.index, values)), f"{listed}, from negative to positive"))
    if not found and len(values) == count:
        rising = sorted(values)
        found.append(_Reading(ORDERED, tuple(map(rising.index, values)), f"{listed} by size"))
    yield from found


def _whole(places: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(place for place in places if place is not None)


def _names_byplace_named(own: Sequence[str], labels: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    if not is_unnamed(own):
        return tuple(own)
    names = list(own)
    for label, place in reversed(list(zip(labels, places, strict=True))):
        names[place] = label
    return tuple(names)


def _strange(own: tuple[str, ...], labels: tuple[str, ...], model: str, rows: Mapping[str, Sequence[int]]) -> DataError:
    unknown = [label for label in labels if place_named(own, label) is None] or list(labels)
    shown = [
        f"{label!r} (row {some_numbers(rows[label], 5)})" if label in rows else repr(label) for label in unknown[:10]
    ]
    more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
    plural = "s" if len(unknown) > 1 else ""
    return DataError(
        f"{model} was never trained on the label{plural} {', '.join(shown)}{more} of the data.",
        allowed=", ".join(own),
        fix=f"say which class each one is, such as {option_text(suggested(own, labels[:_SHOWN]))}; or choose the "
        "label column with --label; or bring the model without its head, which is fine-tuned first",
    )


def _ambiguous(own: tuple[str, ...], labels: tuple[str, ...], readings: Sequence[_Reading], model: str) -> DataError:
    each = [f"{one.why}: {described(Classes(own, own, labels, one.places, one.how))}" for one in readings]
    ways = [option_text(Classes(own, own, labels, one.places, one.how).told) for one in readings]
    return DataError(
        f"The labels {', '.join(labels[:_SHOWN])} can mean classes of {model} in {len(readings)} ways.",
        allowed="; or: ".join(each),
        fix=f"say which: {'   or   '.join(dict.fromkeys(ways))}",
    )


def _refuse_merged(own: tuple[str, ...], labels: tuple[str, ...], places: tuple[int, ...], model: str) -> None:
    """Labels that the data tells apart stay apart, unless the user says otherwise."""
    for place in sorted(set(places)):
        same = [label for label, at in zip(labels, places, strict=True) if at == place]
        if len(same) > 1:
            raise DataError(
                f"The data tells {' and '.join(map(repr, same))} apart, and both would be {own[place]!r} of {model}.",
                allowed="one label for each class",
                fix=f"make them one label in the data, or say that they are one: "
                f"{option_text([f'{label}={own[at]}' for label, at in zip(labels, places, strict=True)])}",
            )
