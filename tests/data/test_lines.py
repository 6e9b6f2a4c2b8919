"""Plain texts are not cut where they hold what separates columns elsewhere; files that are cut alike are read."""

from __future__ import annotations

import pytest

from lighten.data.files import read_data

PLAIN = {
    "code": [f"use std::{name} here" for name in ("vector", "map", "set", "any", "list")],
    "one name": [f"std::{name}" for name in ("vector", "map", "set", "any", "list") * 4],
    "one line": ["std::vector"] * 5,
    "about": [*(f"number {i} costs ~{i} euros" for i in range(30)), "and one is free"],
    "powers": [f"x^{i} grows faster than x^{i - 1}" for i in range(2, 40)],
}


@pytest.mark.parametrize("name", PLAIN)
def test_texts_that_hold_a_rare_separator_stay_whole(name: str) -> None:
    assert list(read_data("\n".join(PLAIN[name]).encode(), "a.txt").column("text")) == PLAIN[name]


def test_a_tab_is_asked_before_what_texts_hold_more_often() -> None:
    lines = "".join(f"see a::b{i}\t{('pos', 'neg')[i % 2]}\n" for i in range(20))
    for name in ("a.txt", "a.data", "a.csv"):
        table = read_data(lines.encode(), name)
        assert list(map(list, table.columns.values())) == [[f"see a::b{i}" for i in range(20)], ["pos", "neg"] * 10]


@pytest.mark.parametrize("separator", ["::", "\x01"])
@pytest.mark.parametrize("name", ["movies.dat", "movies.csv"])
def test_files_without_names_that_are_cut_alike_are_read(separator: str, name: str) -> None:
    rows = [
        (str(i), f"Toy Story{',' * (i % 3)} number {i} (1995)", ("Comedy", "Drama|War")[i % 2]) for i in range(1, 41)
    ]
    table = read_data("\n".join(map(separator.join, rows)).encode(), name)
    assert list(zip(*table.columns.values(), strict=True)) == rows


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_a_rare_separator_in_quotes_is_no_separator(name: str) -> None:
    lines = "".join(f'"a ^ b{i}"^{("pos", "neg")[i % 2]}\n' for i in range(20))
    columns = list(map(list, read_data(lines.encode(), name).columns.values()))
    assert columns == [[f"a ^ b{i}" for i in range(20)], ["pos", "neg"] * 10]
