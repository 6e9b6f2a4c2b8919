"""Copies that were stored anew (another size, another compression): they belong on one side, as equal texts do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lighten.core.item import Reference
from lighten.core.readers import reader_of
from lighten.data.examples import Example
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
    piece in common are compared (Manku, Jain and Das Sarma 2007). A piece takes every so many-th bit: bits next to each
    other say much the same, and too many hashes would share a piece of them.
    """
    first: dict[int, int] = {}
    found = {(first[value], key) for key, value in hashes.items() if first.setdefault(value, key) != key}
    width = max((value.bit_length() for value in first), default=0)
    if not width:
        return sorted(found)
    import numpy as np

    keys, length = list(first.values()), -(-width // 64) * 8
    packed = np.frombuffer(b"".join(value.to_bytes(length, "big") for value in first), np.uint8).reshape(-1, length)
    words, bits = packed.view(np.uint64), np.unpackbits(packed, axis=1)
    for begin in range(most + 1):
        for one, other in _sharing(bits[:, begin :: most + 1]):
            near = _ones(words[one] ^ words[other]) <= most
            pairs = zip(one[near].tolist(), other[near].tolist(), strict=True)
            found |= {(keys[min(pair)], keys[max(pair)]) for pair in pairs}
    return sorted(found)


def _sharing(pieces: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Every two rows that are equal, some at a time: their numbers. pieces: bits [n, width]."""
    import numpy as np

    packed = np.packbits(pieces, axis=1)
    wide = max(1, -(-packed.shape[1] // 8)) * 8
    keys = np.ascontiguousarray(np.pad(packed, ((0, 0), (0, wide - packed.shape[1])))).view(np.uint64)
    order = np.lexsort(keys.T)
    ordered, left = keys[order], np.arange(len(order))
    for distance in range(1, len(order)):
        left = left[left + distance < len(order)]
        left = left[(ordered[left] == ordered[left + distance]).all(axis=1)]
        if not len(left):
            return
        yield order[left], order[left + distance]


def _ones(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits are set: [n, words] to [n], by adding neighbours (Warren 2013)."""
    import numpy as np

    def masked(pattern: int) -> np.uint64:
        return np.uint64(pattern * (0xFFFF_FFFF_FFFF_FFFF // 0xFF))

    one, two, four = np.uint64(1), np.uint64(2), np.uint64(4)
    words = words - ((words >> one) & masked(0x55))
    words = (words & masked(0x33)) + ((words >> two) & masked(0x33))
    words = (words + (words >> four)) & masked(0x0F)
    found: NDArray[np.int64] = words.view(np.uint8).reshape(len(words), -1).sum(axis=1, dtype=np.int64)
    return found


def _top(leader: list[int], number: int) -> int:
    while leader[number] != number:
        leader[number] = leader[leader[number]]
        number = leader[number]
    return number
