"""Every group against the floor: all must hold, and the one that decides is named."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lighten.proof.absolute import judge_rate
from lighten.proof.groups import judge_groups
from lighten.proof.paired import tango_interval
from lighten.proof.verdict import Verdict, judge_paired

Bools = npt.NDArray[np.bool_]


def outcomes(*groups: tuple[str, int, int, int]) -> tuple[list[str], Bools, Bools]:
    """Names, original and candidate of groups: name, rows, rows that broke, rows that were fixed."""
    names, before, after = [], [], []
    for name, n, broke, fixed in groups:
        names += [name] * n
        before += [True] * broke + [False] * fixed + [True] * (n - broke - fixed)
        after += [False] * broke + [True] * fixed + [True] * (n - broke - fixed)
    return names, np.array(before), np.array(after)


def judged(margin: float, *groups: tuple[str, int, int, int]) -> Verdict:
    names, before, after = outcomes(*groups)
    return judge_groups(names, lambda own, level: judge_paired(before[own], after[own], margin, "worst_group", level))


def test_all_hold_and_the_one_with_the_least_room_is_named() -> None:
    verdict = judged(0.05, ("large", 2000, 20, 10), ("small", 200, 3, 3))
    assert verdict.holds
    assert (verdict.group, verdict.n, verdict.b, verdict.c) == ("small", 200, 3, 3)
    assert verdict.lower == tango_interval(3, 3, 200)[0]


def test_one_group_too_small_decides_however_good_the_others_are() -> None:
    verdict = judged(0.02, ("large", 5000, 0, 0), ("small", 60, 0, 0))
    assert (verdict.state, verdict.group, verdict.n) == ("not_enough_data", "small", 60)
    assert verdict.needed == 149  # 0.98 ** 149 < 0.05


def test_one_group_that_is_worse_is_enough() -> None:
    verdict = judged(0.02, ("large", 5000, 0, 0), ("hurt", 300, 40, 2), ("small", 40, 0, 0))
    assert (verdict.state, verdict.group) == ("worse", "hurt")


def test_a_loss_by_chance_in_one_of_many_groups_is_not_called_worse() -> None:
    # 6 breaks and 1 fix: McNemar gives 0.0625 for 7 items ... 7 and 1: 0.035, which 20 groups see by chance
    alone = judge_paired(*outcomes(("a", 200, 7, 1))[1:], 0.0, "worst_group")
    assert alone.state == "worse"
    many = judged(0.0, ("a", 200, 7, 1), *((f"g{i}", 200, 2, 2) for i in range(19)))
    assert (many.state, many.group) == ("not_enough_data", "a")


def test_an_absolute_floor_holds_in_every_group_or_not_at_all() -> None:
    names, _, after = outcomes(("a", 1000, 20, 0), ("b", 200, 10, 0))

    def own(rows: Bools, level: float) -> Verdict:
        return judge_rate(after[rows], 0.9, "worst_group", confidence=level)

    verdict = judge_groups(names, own)
    assert verdict.holds and verdict.group == "b" and verdict.kind == "absolute"
    assert verdict.reached == pytest.approx(0.9165, abs=5e-4)


def test_no_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="non-empty"):
        judge_groups([], lambda own, level: judge_paired([True], [True], 0.01))
