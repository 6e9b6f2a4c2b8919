"""What ``--labels`` says: which class of a model each label of the data is, as a user writes it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lighten.core.errors import DataError, nearest
from lighten.core.lists import write_list
from lighten.data.labels import folded_label, is_unnamed, place_named, whole_number

_SHOWN = 20


def places_told(names: Sequence[str], labels: Sequence[str], told: Sequence[str], model: str) -> tuple[int, ...]:
    """The output that each label means: by what the user says, and by its name where the user says nothing of it.

    Args:
        names: of the model's classes, by output. labels: of the data.
        told: ``label=class``, the class by its name or by its number from 0; or all of them ``class=label``, where only
            that makes sense. An entry for a label that the data lacks is no fault: other data has it.

    Raises:
        DataError: entries that cannot be understood, or a label that is neither told nor the name of a class.
    """
    said = _read(names, labels, told, swapped=False) or _read(names, labels, told, swapped=True)
    if said is None:
        raise DataError(
            f"{option_text(told)} cannot be understood.",
            allowed=f"LABEL=CLASS for labels of the data ({', '.join(labels[:_SHOWN])}) and classes of {model} "
            f"({', '.join(names[:_SHOWN])}, or their numbers from 0)",
            fix=option_text(suggested(names, labels)),
        )
    places = {label: said.get(label, place_named(names, label)) for label in labels}
    silent = [label for label, place in places.items() if place is None]
    if silent:
        raise DataError(
            f"--labels says nothing of {', '.join(map(repr, silent[:10]))}.",
            allowed=f"an entry for every label that is not the name of a class of {model}: {', '.join(names[:_SHOWN])}",
            fix=option_text([*told, *suggested(names, silent)]),
        )
    return tuple(place for place in places.values() if place is not None)


def option_text(entries: Sequence[str]) -> str:
    """Entries as they stand on the command line: ``--labels 0=negative,1=positive``."""
    return f"--labels {shlex.quote(write_list(entries))}"


def suggested(names: Sequence[str], labels: Sequence[str]) -> list[str]:
    """An entry for each label, with the class whose name is nearest to it, or else the next one."""
    free, found = list(names), []
    for label in labels:
        begun = [name for name in free if folded_label(name).startswith(folded_label(label))]
        name = next(iter([*begun, *nearest(label, free, 1), *free]), names[0])
        if name in free:
            free.remove(name)
        found.append(f"{label}={names.index(name) if is_unnamed(names) else name}")
    return found


def _read(names: Sequence[str], labels: Sequence[str], told: Sequence[str], *, swapped: bool) -> dict[str, int] | None:
    """Output by label of the data; None when an entry names no class. swapped: entries are ``class=label``.

    An entry may hold several signs of equality, as names may: it is cut where both sides are known.
    """
    found: dict[str, int] = {}
    for entry in told:
        cuts = [(entry[:at].strip(), entry[at + 1 :].strip()) for at, sign in enumerate(entry) if sign == "="]
        sides = [(right, left) if swapped else (left, right) for left, right in cuts]
        read = [(place_named(labels, label), _output(names, name)) for label, name in sides]
        if not any(place is not None for _, place in read):
            return None
        for at, place in read:
            if at is not None and place is not None:
                found[labels[at]] = place
                break
    return found or None


def _output(names: Sequence[str], text: str) -> int | None:
    """The output that a user means by a name or by its number from 0."""
    place, number = place_named(names, text), whole_number(text)
    if place is None and number is not None and 0 <= number < len(names):
        return number
    return place
