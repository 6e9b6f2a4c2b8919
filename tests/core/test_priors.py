"""Costs add up as they are told."""

from lighten.core.priors import Cost


def test_a_cost_is_its_parts_together() -> None:
    assert Cost(60.0, 0.4).seconds(100.0) == 100.0
    assert Cost(each=5.0).seconds(100.0, 3) == 15.0
    assert Cost().seconds(100.0, 3) == 0.0
