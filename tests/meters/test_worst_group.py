"""The worst group by hand."""

import pytest

from lighten.core.budget import Constraint
from lighten.core.result import Measured
from lighten.core.rows import Rows
from lighten.meters.worst_group import WorstGroup
from lighten.testing.answers import in_documents, measured, sure, within

METER = WorstGroup()


def test_by_hand() -> None:
    found = measured("worst_group", sure([0, 0, 0, 1, 1]), [0, 0, 1, 1, 0], "aabbb")
    assert found == Measured(pytest.approx(1 / 3), 3, note="group 'b'")


def test_without_groups_it_is_unknown_and_cannot_be_judged() -> None:
    found = measured("worst_group", sure([0]), [0])
    assert found.value is None and "no group column" in found.note
    with pytest.raises(ValueError, match="no group column"):
        METER.judge(sure([0]), sure([0]), Rows(("x",), (0,)), within("worst_group", 0.01), 0)


def test_rows_of_one_document_prove_less() -> None:
    rows, documents = in_documents("worst_group")
    assert documents < rows


def case(*groups: tuple[str, int, int]) -> tuple[Rows, object, object]:
    """Rows of class 1 in groups: name, rows, rows that the candidate breaks; the original is always right."""
    names = tuple(name for name, n, _ in groups for _ in range(n))
    after = [int(i >= broke) for _, n, broke in groups for i in range(n)]
    return Rows(("x",) * len(names), (1,) * len(names), names), sure([1] * len(names), 2), sure(after, 2)


def test_every_group_is_judged_and_the_smallest_decides() -> None:
    rows, before, after = case(("large", 3000, 30), ("small", 200, 0))
    judged = METER.judge(before, after, rows, within("worst_group", 0.02), 0)
    assert (judged.state, judged.group, judged.n) == ("holds", "small", 200)  # 0.98 ** 200 < 0.05
    tighter = METER.judge(before, after, rows, within("worst_group", 0.014), 0)
    assert (tighter.state, tighter.group) == ("not_enough_data", "small")
    assert tighter.needed is not None and 213 <= tighter.needed <= 217  # 0.986 ** 213 < 0.05


def test_an_absolute_floor_is_every_groups_own() -> None:
    rows, before, after = case(("large", 3000, 300), ("small", 200, 10))
    floor = Constraint("worst_group", 0.88, "", "")
    judged = METER.judge(before, after, rows, floor, 0)
    assert (judged.state, judged.kind, judged.group) == ("holds", "absolute", "large")
    rows, before, after = case(("large", 3000, 300), ("small", 200, 18))
    judged = METER.judge(before, after, rows, floor, 0)
    assert (judged.state, judged.group, judged.n) == ("not_enough_data", "small", 200)


def test_a_group_of_one_unit_is_not_judged() -> None:
    rows, before, after = case(("a", 600, 0), ("b", 40, 0))
    units = tuple(f"u{i // 10}" for i in range(600)) + ("one",) * 40
    alone = Rows(rows.inputs, rows.targets, rows.groups, units)
    judged = METER.judge(before, after, alone, within("worst_group", 0.3), 0)
    assert (judged.state, judged.group, judged.units, judged.needed) == ("not_enough_data", "b", 1, 30)
