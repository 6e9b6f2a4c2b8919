"""Two models have the same classes, whatever their order, their spelling, or who was given names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.errors import DataError, InputError
from lighten.core.rows import Rows
from lighten.data.classes import match_classes
from lighten.verbs.classes import Shared, check_guess, shared_classes


def shared(first: tuple[str, ...], second: tuple[str, ...], **classes: Any) -> Shared:
    """classes: the candidate's record of how the data's labels were matched."""
    models = [
        (name, Artifact(Path("nowhere"), "", "hf", {}, meta={"labels": list(labels), **more}))
        for name, labels, more in (("first", first, {}), ("second", second, {"classes": classes} if classes else {}))
    ]
    return shared_classes(models)


def test_order_and_spelling_do_not_matter() -> None:
    assert shared(("a", "b"), ("a", "b")) == Shared(("a", "b"), (0, 1), {})
    turned = shared(("Good", "bad"), ("bad", "good"))
    assert (turned.names, turned.places) == (("Good", "bad"), (1, 0))
    assert shared(("False", "True"), ("yes", "no")).places == (1, 0)


def test_a_winner_has_the_classes_of_its_original_whatever_it_was_given() -> None:
    none = ("LABEL_0", "LABEL_1")
    winner = shared(none, ("positive", "negative"), own=list(none), places={"negative": 1, "positive": 0})
    assert (winner.names, winner.places, winner.note) == (("positive", "negative"), (0, 1), "")
    assert winner.known == {"negative": 1, "positive": 0}
    stranger = shared(none, ("positive", "negative"))
    assert stranger.names == ("positive", "negative") and "first have no names" in stranger.note
    assert shared(("positive", "negative"), none).names == ("positive", "negative")


def test_other_classes_are_refused() -> None:
    for own, theirs in ((("a", "b"), ("a", "c")), (("a", "b"), ("a", "b", "c")), (("a", "b", "c"), ("a", "b"))):
        with pytest.raises(InputError, match="do not have the same labels"):
            shared(own, theirs)


def test_rows_that_are_compared_on_decide_nothing_but_stop_a_wrong_guess() -> None:
    rows = Rows(tuple(map(str, range(60))), tuple(i % 2 for i in range(60)))
    inverted = np.eye(2)[[1 - target for target in rows.targets]]
    guess = match_classes(("NEGATIVE", "POSITIVE"), ("0", "1"))
    with pytest.raises(DataError, match=r"exchanged 100\.0%"):
        check_guess(guess, inverted, rows)
    assert check_guess(guess, np.eye(2)[list(rows.targets)], rows) == ""
    assert "speak against" in check_guess(match_classes(("no", "yes"), ("no", "yes")), inverted, rows)
