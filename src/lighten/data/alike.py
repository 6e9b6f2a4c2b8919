"""Copies that were stored anew (another size, another compression): they belong on one side, as equal texts do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from lighten.core.item import Reference
from lighten.core.readers import reader_of
from lighten.data.examples import Example


def copies_of(rows: Sequence[Example]) -> list[list[int]]:
    """Positions of rows that are copies of each other, in groups, in the order of their first: every row is in one.

    Rows with one key are copies; so are files of which the reader of their kind says that they are nearly the same, and
    what is nearly the same as one of these.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        same[row.key].append(at)
    groups = list(same.values())
    leader = list(range(len(groups)))
    files: dict[str, dict[int, Reference]] = defaultdict(dict)
    for number, places in enumerate(groups):
        item = rows[places[0]].item
        if isinstance(item, Reference):
            files[item.kind][number] = item
    for kind, items in files.items():
        reader = reader_of(kind)
        bits = {number: reader.perceptual(item) for number, item in items.items()}
        hashes = {number: one for number, one in bits.items() if one is not None}
        for one, other in pairs_within(hashes, reader.alike):
            first, second = sorted((_top(leader, one), _top(leader, other)))
            leader[second] = first
    joined: dict[int, list[int]] = defaultdict(list)
    for number, places in enumerate(groups):
        joined[_top(leader, number)] += places
    return [sorted(places) for places in joined.values()]


def pairs_within(hashes: Mapping[int, int], most: int) -> list[tuple[int, int]]:
    """Pairs of keys whose hashes differ by at most ``most`` bits, by way of the pieces that such hashes share.

    Of ``most + 1`` pieces of a hash at least one is untouched by ``most`` changed bits, so that only hashes with a
    piece in common are compared (Manku, Jain and Das Sarma 2007). A piece takes every so many-th bit: bits next to each
    other say much the same, and too many hashes would share a piece of them.
    """
    width = max((value.bit_length() for value in hashes.values()), default=0)
    written = {key: f"{value:0{width}b}" for key, value in hashes.items()}
    found: set[tuple[int, int]] = set()
    for begin in range(most + 1):
        buckets: dict[str, dict[int, int]] = defaultdict(dict)
        for key, value in hashes.items():
            buckets[written[key][begin :: most + 1]].setdefault(value, key)
        for bucket in buckets.values():
            for (one, first), (other, second) in combinations(bucket.items(), 2):
                if (one ^ other).bit_count() <= most:
                    found.add((first, second))
    equal: dict[int, int] = {}
    for key, value in hashes.items():
        if equal.setdefault(value, key) != key:
            found.add((equal[value], key))
    return sorted(found)


def _top(leader: list[int], number: int) -> int:
    while leader[number] != number:
        leader[number] = leader[leader[number]]
        number = leader[number]
    return number
