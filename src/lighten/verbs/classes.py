"""Which classes two models have in common, and whether rows agree with what the labels of data were taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, InputError
from lighten.core.rows import Rows
from lighten.data.classes import GUESSES, Classes, match_classes
from lighten.data.labels import is_unnamed
from lighten.proof.assignment import judge_assignment
from lighten.search.classes import contradicted, contradiction

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shared:
    """The classes that an original and a candidate have in common.

    Attributes:
        names: by output of the original; the candidate's where the original has none.
        places: output of the candidate for each of them.
        known: output of the original by label of the data, as a run found it that made one of the models.
        note: what was taken for what, where names do not say it.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    known: Mapping[str, int]
    note: str = ""


def shared_classes(models: Sequence[tuple[str, Artifact]]) -> Shared:
    """Match the classes of two models: a winner's are its original's, whatever names it was given.

    Args:
        models: the original and the candidate, each with what the user calls it.

    Raises:
        InputError: they do not have the same classes.
    """
    (first, one), (second, other) = models
    own, theirs = (tuple(map(str, artifact.meta.get("labels", ()))) for artifact in (one, other))
    straight, note = tuple(range(len(own))), ""
    before, after = (artifact.meta.get("classes") or {} for artifact in (one, other))
    related = tuple(after.get("own", ())) == own or tuple(before.get("own", ())) == theirs
    if len(own) == len(theirs) and (own == theirs or related or is_unnamed(own) or is_unnamed(theirs)):
        if not related and own != theirs:
            nameless = first if is_unnamed(own) else second
            note = f"The classes of {nameless} have no names; those of the other model were taken, in its order."
        return Shared(
            theirs if is_unnamed(own) else own, straight, {**before.get("places", {}), **after.get("places", {})}, note
        )
    try:
        matched = match_classes(theirs, own, model=second)
        if len(own) != len(theirs):
            raise DataError(f"{first} has {len(own)} classes and {second} {len(theirs)}.")
    except DataError as error:
        raise InputError(
            f"The models do not have the same labels: {', '.join(own)} and {', '.join(theirs)}.",
            allowed="the same classes, in any order and spelling",
        ) from error
    known = {label: matched.places.index(place) for label, place in after.get("places", {}).items()}
    return Shared(own, matched.places, {**before.get("places", {}), **known}, matched.note)


def check_guess(classes: Classes, answers: NDArray[Any], rows: Rows) -> str:
    """A warning where rows speak against the labels of data that nothing may be chosen on; empty when they agree.

    Raises:
        DataError: what they were taken for was a guess.
    """
    places, present = list(classes.places), set(rows.targets)
    if len(present) < 2 or len(set(places)) < len(places):
        return ""
    targets = [places.index(target) for target in rows.targets]
    found = judge_assignment(answers.argmax(axis=1).tolist(), targets, places, len(classes.names))
    if found.beaten and classes.how in GUESSES:
        raise contradicted(classes, found, "the original")
    return contradiction(classes, found) if found.beaten else ""
