"""What is searched lies around what suits the network; what is given or changes nothing is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lighten.core.errors import InputError
from lighten.fitting.sweep.ranges import OPTIONS, ranges_of
from lighten.nets.training.schedule import Hyperparameters

KNOWN = Hyperparameters(epochs=3.0, learning_rate=1e-4, batch_rows=32, weight_decay=0.01)


def test_what_suits_the_network_lies_in_every_range() -> None:
    for known in (KNOWN, replace(KNOWN, from_scratch=True, epochs=20.0, batch_rows=128, weight_decay=0.05)):
        found = ranges_of(known, OPTIONS, ())
        assert list(found) == list(OPTIONS)
        for name, one in found.items():
            value = getattr(known, name)
            assert value in one.choices if one.choices else one.low <= value <= one.high
    near, far = (ranges_of(one, OPTIONS, ())["learning_rate"] for one in (KNOWN, replace(KNOWN, from_scratch=True)))
    assert far.low < near.low and near.high < far.high and near.log
    assert ranges_of(replace(KNOWN, batch_rows=1), OPTIONS, ())["batch_rows"].choices == (1, 2, 4)


def test_what_is_given_or_has_no_effect_is_not_searched() -> None:
    assert "learning_rate" not in ranges_of(KNOWN, OPTIONS, ["learning_rate"])
    assert list(ranges_of(KNOWN, ["dropout", "epochs"], ["epochs"])) == ["dropout"]
    assert "epochs" not in ranges_of(replace(KNOWN, timed=True), OPTIONS, ())
    with pytest.raises(InputError, match=r"nothing left to search: --lr, --batch-rows are given(.|\n)*or --search"):
        ranges_of(KNOWN, ["learning_rate", "batch_rows"], ["batch_rows", "learning_rate"])
