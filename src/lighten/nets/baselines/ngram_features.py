"""Words, pairs of words and n-grams of characters of texts, as hashes: what a linear model counts.

All of a batch of texts is hashed in a few array operations: the hash of a stretch of characters is a polynomial modulo
2^64, and follows from two sums of what stands before its ends.

Source: Karp and Rabin, Efficient randomized pattern-matching algorithms, 1987; Weinberger et al., Feature hashing for
large scale multitask learning, 2009.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 8
"""Characters of the longest n-grams."""
TOGETHER = 1 << 18
"""Characters that are hashed at a time."""
BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)
SPACE = 32

Keys = NDArray[np.uint32]
Ids = NDArray[np.int64]
_Hashes = NDArray[np.uint64]


def ngrams(texts: Sequence[str], characters: int) -> tuple[Ids, Keys]:
    """Every word, pair of neighbouring words, and n-gram of up to ``characters`` characters within a word.

    Upper and lower case are the same, and so is any white space. A word is a run of letters and digits; an n-gram may
    hold marks as well, and the space before or behind it.

    Returns:
        rows: int64 [n], the text of each, in ascending order within words, pairs and each length.
        keys: uint32 [n], its hash.
    """
    plain = [f" {' '.join(text.casefold().split())} " for text in texts]
    codes = np.frombuffer("".join(plain).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    rows = np.repeat(np.arange(len(plain)), [len(text) for text in plain])
    every, inverse = (np.multiply.accumulate(np.full(len(codes) + 1, base, np.uint64)) for base in (BASE, INVERSE))
    sums = np.concatenate([[np.uint64(0)], np.cumsum((codes + np.uint64(1)) * every[:-1])])

    def hashed(begins: Ids, ends: Ids) -> _Hashes:
        found: _Hashes = (sums[ends] - sums[begins]) * inverse[begins]
        return found

    begins, ends = _words(codes)
    words, owner = hashed(begins, ends), rows[begins]
    pair = owner[:-1] == owner[1:]
    found_rows, found_keys = [owner, owner[:-1][pair]], [_mixed(words), _mixed(_mixed(words[:-1]) + words[1:])[pair]]
    for length, begins in _within(codes == SPACE, characters):
        found_rows.append(rows[begins])
        found_keys.append(_mixed(~hashed(begins, begins + length)))
    return np.concatenate(found_rows), (np.concatenate(found_keys) >> np.uint64(32)).astype(np.uint32)


def counted(texts: Sequence[str], characters: int) -> Iterator[tuple[Ids, Keys, Ids]]:
    """How often each text has each n-gram, for as many texts at a time as fit into memory easily.

    Yields:
        rows: int64 [n], ascending, counted over all texts; keys: uint32 [n]; counts: int64 [n].
    """
    for begin, end in _portions(texts):
        rows, keys = ngrams(texts[begin:end], characters)
        pairs, counts = np.unique((rows.astype(np.uint64) << np.uint64(32)) | keys, return_counts=True)
        yield (pairs >> np.uint64(32)).astype(np.int64) + begin, pairs.astype(np.uint32), counts


def _words(codes: _Hashes) -> tuple[Ids, Ids]:
    """Where words begin, and where they end: [words] each. Before and behind every text stands a space."""
    kinds, which = np.unique(codes, return_inverse=True)
    letter = np.array([chr(code).isalnum() for code in kinds.tolist()], bool)[which]
    change = np.flatnonzero(np.diff(letter.astype(np.int8))) + 1
    return change[::2], change[1::2]


def _within(space: NDArray[np.bool_], longest: int) -> Iterator[tuple[int, Ids]]:
    """Each length of n-grams with the places where one begins. Spaces stand at its ends only, and never at both."""
    before = np.concatenate([[0], np.cumsum(space)])
    for length in range(1, longest + 1):
        begins = np.arange(max(len(space) - length + 1, 0))
        spaces = before[begins + length] - before[begins]
        ends = space[begins].astype(np.int64) + (space[begins + length - 1] if length > 1 else 0)
        yield length, begins[(spaces == ends) & (ends < min(length, 2))]


def _portions(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    begin = size = 0
    for number, text in enumerate(texts):
        if size and size + len(text) > TOGETHER:
            yield begin, number
            begin, size = number, 0
        size += len(text) + 2
    if begin < len(texts):
        yield begin, len(texts)


def _mixed(hashes: _Hashes) -> _Hashes:
    """Every bit of a hash made to depend on all of its bits (the finalizer of splitmix64)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))
