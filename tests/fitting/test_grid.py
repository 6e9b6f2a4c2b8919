"""The grid: one training for each group, tested on every group. The verb is in tests/verbs/test_train.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lighten.core.errors import InputError
from lighten.core.rows import Parts, Rows
from lighten.fitting.grid import FEWEST, MOST, check_grid, groups_of, of_group
from lighten.testing.tiny import toy_rows


def parts(rows: Rows) -> Parts:
    return Parts(rows, rows, rows, rows, labels=("bad", "good"))


def test_rows_of_a_group() -> None:
    rows = toy_rows(60, groups=True)
    assert groups_of(rows) == ["east", "west"]
    east = of_group(rows, "east")
    assert set(east.groups) == {"east"} and len(east) + len(of_group(rows, "west")) == 60
    check_grid(parts(rows))


def test_what_makes_no_grid_is_refused() -> None:
    rows = toy_rows(60, groups=True)
    with pytest.raises(InputError, match=r"has no column of groups(.|\n)*--group"):
        check_grid(parts(toy_rows(60)))
    many = replace(rows, groups=tuple(f"g{number % (MOST + 1)}" for number in range(60)))
    with pytest.raises(InputError, match=f"has {MOST + 1} groups"):
        check_grid(parts(many))
    few = replace(rows, groups=("few",) * (FEWEST - 1) + ("many",) * (61 - FEWEST))
    with pytest.raises(InputError, match=f"group few alone: it has {FEWEST - 1} rows to train"):
        check_grid(parts(few))
    one = replace(rows, targets=tuple(int(group == "west") for group in rows.groups))
    with pytest.raises(InputError, match="rows of one label only"):
        check_grid(parts(one))
