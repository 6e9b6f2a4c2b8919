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
    kinds: dict[str, dict[int, int]] = defaultdict(dict)
    for number, places in enumerate(groups):
        item = rows[places[0]].item
        if isinstance(item, Reference):
            bits = reader_of(item.kind).perceptual(item)
            if bits is not None:
                kinds[item.kind][number] = bits
    for kind, hashes in kinds.items():
        for one, other in pairs_within(hashes, reader_of(kind).alike):
            first, second = sorted((_top(leader, one), _top(leader, other)))
            leader[second] = first
    joined: dict[int, list[int]] = defaultdict(list)
    for number, places in enumerate(groups):
        joined[_top(leader, number)] += places
    return [sorted(places) for places in joined.values()]


def pairs_within(hashes: Mapping[int, int], most: int) -> list[tuple[int, int]]:
    """Pairs of keys whose hashes differ by at most ``most`` bits, by way of the pieces that such hashes share.

    Of ``most + 1`` pieces of a hash at least one is untouched by ``most`` changed bits, so that only hashes with a
    piece in common are compared (Manku, Jain and Das Sarma 2007).
    """
    width = max((value.bit_length() for value in hashes.values()), default=0)
    size = max(1, -(-width // (most + 1)))
    found: set[tuple[int, int]] = set()
    for shift in range(0, max(width, 1), size):
        buckets: dict[int, dict[int, int]] = defaultdict(dict)
        for key, value in hashes.items():
            buckets[value >> shift & (1 << size) - 1].setdefault(value, key)
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
