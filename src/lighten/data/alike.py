"""Copies that were stored anew (another size, another compression): they belong on one side, as equal texts do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lighten.core.item import Reference, parted
from lighten.core.readers import reader_of
from lighten.data.examples import Example, key_of
from lighten.data.references import likeness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
        bits = {number: likeness(item) for number, item in items.items()}
        hashes = {number: one for number, one in bits.items() if one is not None}
        for one, other in firsts_within(hashes, reader_of(kind).alike).items():
            first, second = sorted((_top(leader, one), _top(leader, other)))
            leader[second] = first
    joined: dict[int, list[int]] = defaultdict(list)
    for number, places in enumerate(groups):
        joined[_top(leader, number)] += places
    return [sorted(places) for places in joined.values()]


def firsts_within(hashes: Mapping[int, int], most: int) -> dict[int, int]:
    """Of every key, the first one of its group: groups are hashes that differ by at most ``most`` bits, one by one.

    Of ``most + 1`` pieces of a hash at least one is untouched by ``most`` changed bits, so that only hashes with a
    piece in common are compared (Manku, Jain and Das Sarma 2007). A piece takes every so many-th bit: bits next to each
    other say much the same, and too many hashes would share a piece of them. What is in one group already is not
    compared again, and no pair is kept: thousands of frames of one film have millions of them.
    """
    first: dict[int, int] = {}
    for key, value in hashes.items():
        first.setdefault(value, key)
    width = max((value.bit_length() for value in first), default=0)
    if not width:
        return {key: first[value] for key, value in hashes.items()}
    import numpy as np

    keys, length = list(first.values()), -(-width // 64) * 8
    packed = np.frombuffer(b"".join(value.to_bytes(length, "big") for value in first), np.uint8).reshape(-1, length)
    words, bits = packed.view(np.uint64), np.unpackbits(packed, axis=1)
    groups = np.arange(len(keys))
    for begin in range(most + 1):
        for one, other in _sharing(bits[:, begin :: most + 1], groups):
            near = _ones(words[one] ^ words[other]) <= most
            _join(groups, one[near], other[near])
    found = {value: keys[group] for value, group in zip(first, groups.tolist(), strict=True)}
    return {key: found[value] for key, value in hashes.items()}


def _sharing(
    pieces: NDArray[np.uint8], groups: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Every two rows that are equal and not in one group, some at a time: their numbers.

    Args:
        pieces: bits [n, width]. groups: of each row the number of its group [n], which may change in between.
    """
    import numpy as np

    packed = np.packbits(pieces, axis=1)
    wide = max(1, -(-packed.shape[1] // 8)) * 8
    keys = np.ascontiguousarray(np.pad(packed, ((0, 0), (0, wide - packed.shape[1])))).view(np.uint64)
    order = np.lexsort(keys.T)
    begins = np.flatnonzero(np.r_[True, (keys[order][1:] != keys[order][:-1]).any(axis=1)])
    block = np.zeros(len(order), np.intp)
    block[begins[1:]] = 1
    block = np.cumsum(block)
    left = np.arange(len(order))
    for distance in range(1, len(order)):
        grouped = groups[order]
        is_open = np.minimum.reduceat(grouped, begins) != np.maximum.reduceat(grouped, begins)
        left = left[left + distance < len(order)]
        left = left[(block[left] == block[left + distance]) & is_open[block[left]]]
        if not len(left):
            return
        apart = left[grouped[left] != grouped[left + distance]]
        yield order[apart], order[apart + distance]


def _join(groups: NDArray[np.intp], one: NDArray[np.intp], other: NDArray[np.intp]) -> None:
    """Make one group of the groups of every two rows, called as its first row. groups: of each row, changed here."""
    if not len(one):
        return
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    touched, places = np.unique([groups[one], groups[other]], return_inverse=True)
    start, end = places.reshape(2, -1)
    pairs = coo_matrix((np.ones(len(start), bool), (start, end)), (len(touched), len(touched)))
    _, parts = connected_components(pairs, directed=False)
    _, firsts = np.unique(parts, return_index=True)
    called = np.arange(len(groups))
    called[touched] = touched[firsts][parts]
    groups[:] = called[groups]


def _ones(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits are set: [n, words] to [n], by adding neighbours (Warren 2013)."""
    import numpy as np

    def masked(pattern: int) -> np.uint64:
        return np.uint64(pattern * (0xFFFF_FFFF_FFFF_FFFF // 0xFF))

    one, two, four = np.uint64(1), np.uint64(2), np.uint64(4)
    words = words - ((words >> one) & masked(0x55))
    words = (words & masked(0x33)) + ((words >> two) & masked(0x33))
    words = (words + (words >> four)) & masked(0x0F)
    found: NDArray[np.int64] = words.view(np.uint8).reshape(len(words), 8 * words.shape[1]).sum(axis=1, dtype=np.int64)
    return found


def sharing(rows: Sequence[Example]) -> list[list[int]]:
    """As :func:`copies_of`, of rows of several items each: rows that have one of them in common are in one group."""
    leader, first = list(range(len(rows))), dict[str, int]()
    for number, row in enumerate(rows):
        for part in parted([row.item]):
            own, other = _top(leader, number), _top(leader, first.setdefault(key_of(part), number))
            leader[max(own, other)] = min(own, other)
    joined: dict[int, list[int]] = defaultdict(list)
    for number in range(len(rows)):
        joined[_top(leader, number)].append(number)
    return list(joined.values())


def _top(leader: list[int], number: int) -> int:
    while leader[number] != number:
        leader[number] = leader[leader[number]]
        number = leader[number]
    return number
