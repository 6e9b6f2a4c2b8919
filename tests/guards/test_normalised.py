"""Texts that should be answered alike."""

from __future__ import annotations

import pytest

from lighten.core.errors import UnknownName
from lighten.core.guard import GuardError
from lighten.guards.normalised import Normalised


def test_each_form_that_differs_is_asked_by_itself() -> None:
    found = Normalised().variants("Ｇreat  mоvie\u200b")  # a wide G, two blanks, a Cyrillic o, a blank without a width
    assert found == {
        "case": "ｇreat  mоvie\u200b",
        "compatibility": "Great  mоvie\u200b",
        "blanks": "Ｇreat mоvie\u200b",
        "unseen": "Ｇreat  mоvie",
        "look-alikes": "Ｇreat  movie\u200b",
    }
    assert Normalised().variants("plain words") == {} and Normalised().variants("\u200b") == {}


def test_it_only_flags_inputs() -> None:
    Normalised().check()
    with pytest.raises(UnknownName, match="refuse"):
        Normalised(action="refuse").check()
    with pytest.raises(UnknownName, match="colour"):
        Normalised(ways=("colour",)).check()
    with pytest.raises(GuardError, match="nothing"):
        Normalised(ways=()).check()
