"""What was stored anew stays on one side with what it was made from; what only looks similar does not."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lighten.core.item import Item
from lighten.data import alike
from lighten.data.alike import copies_of, firsts_within
from lighten.data.examples import Example
from lighten.readers.image import ImageReader
from lighten.testing.pictures import CLASSES, picture, saved_picture


def rows_of(items: Sequence[Item]) -> list[Example]:
    return [Example(item, "", number) for number, item in enumerate(items, 1)]


def test_texts_are_copies_up_to_case_and_spacing() -> None:
    assert copies_of(rows_of(["Good  film", "bad film", "good film", "GOOD FILM ", "fine"])) == [[0, 2, 3], [1], [4]]
    assert copies_of([]) == []


def test_pairs_go_by_all_that_belongs_to_them(tmp_path: Path) -> None:
    one, other = (saved_picture(tmp_path / f"{seed}.png", seed) for seed in (0, 1))
    assert copies_of(rows_of([("what?", one), ("what?", other), ("WHAT?", one)])) == [[0, 2], [1]]


def grouped(hashes: Mapping[int, int], most: int) -> dict[int, int]:
    """The first key of the group of each, by comparing all with all."""
    first = {key: key for key in hashes}
    for a, b in combinations(hashes, 2):
        if (hashes[a] ^ hashes[b]).bit_count() <= most and first[a] != first[b]:
            low, high = sorted((first[a], first[b]))
            first = {key: low if one == high else one for key, one in first.items()}
    return first


@pytest.mark.parametrize("most", [0, 1, 3, 8])
def test_groups_are_those_that_comparing_all_finds(most: int) -> None:
    draw = random.Random(most)
    hashes = {key: draw.getrandbits(64) for key in range(60)}
    for key in range(60, 160):
        hashes[key] = hashes[draw.randrange(key)]
        for bit in draw.sample(range(64), draw.randrange(0, 12)):
            hashes[key] ^= 1 << bit
    assert firsts_within(hashes, most) == grouped(hashes, most)
    assert firsts_within({}, most) == {}
    assert firsts_within({1: 0, 2: 0}, most) == {1: 1, 2: 1}


def test_groups_of_hashes_of_any_length_and_many_that_are_alike() -> None:
    draw = random.Random(0)
    hashes = {key: draw.getrandbits(143) & ~(0xFFFF << 60) for key in range(40)}
    hashes |= {key: hashes[key - 40] ^ (1 << draw.randrange(143)) ^ (1 << draw.randrange(143)) for key in range(40, 80)}
    found = firsts_within(hashes, 10)
    assert found == grouped(hashes, 10) and [found[key] for key in range(40, 80)] == list(range(40))
    assert firsts_within({5: 1, 6: 2, 7: 4}, 200) == {5: 5, 6: 5, 7: 5}, "all, where any difference will do"


def test_frames_of_one_film_are_one_group_without_a_list_of_their_pairs() -> None:
    draw, most = random.Random(1), 10
    base = draw.getrandbits(143)
    hashes = {key: base ^ (1 << draw.randrange(143)) ^ (1 << draw.randrange(143)) for key in range(4_000)}
    pairs: list[int] = []
    join = alike._join

    def counted(groups: Any, one: Any, other: Any) -> None:
        pairs.append(len(one))
        join(groups, one, other)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike, "_join", counted)
        assert set(firsts_within(hashes, most).values()) == {0}
    assert sum(pairs) < 20 * len(hashes)


def test_pictures_that_were_stored_anew_are_copies(tmp_path: Path) -> None:
    items = [saved_picture(tmp_path / f"{seed}.png", seed, size=(120, 90)) for seed in range(6)]
    picture(2, size=(120, 90)).save(tmp_path / "again.jpg", quality=85)
    picture(2, size=(120, 90)).resize((80, 60)).save(tmp_path / "small.png")
    again = [ImageReader.describe(tmp_path / name) for name in ("again.jpg", "small.png")]
    assert copies_of(rows_of([*items, *again])) == [[0], [1], [2, 6, 7], [3], [4], [5]]


def test_pictures_of_one_class_are_no_copies(tmp_path: Path) -> None:
    items = [saved_picture(tmp_path / f"{c}{seed}.png", seed, c) for c in CLASSES for seed in range(20)]
    assert copies_of(rows_of(items)) == [[at] for at in range(60)]
