"""Modified Kneser-Ney smoothing of n-grams that are kept as a tree in flat arrays: count, smooth, write, grow again.

A node is an n-gram, a child of the n-gram without its last symbol. Nodes are numbered by length, and within a length by
parent and symbol, so that the key ``parent << 9 | symbol`` grows from node to node: one binary search finds any child.

Sources: Chen & Goodman, An empirical study of smoothing techniques for language modeling, 1998 (the interpolated form);
Heafield et al., Scalable modified Kneser-Ney language model estimation, 2013 (counts of what begins a text).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.nets.baselines.byte_model import BOUNDARY, NEVER, SYMBOLS, Floats, Symbols, Tensors

USUAL = (0.5, 1.0, 1.5)
"""Discounts where the counts of counts give none, as of few texts or of single symbols."""
BITS = 9
"""Of a symbol in a key."""
SYMBOL = (1 << BITS) - 1
WRITTEN = ("symbols", "children", "counts", "large")
"""The arrays of the file."""
ESCAPE = 255
"""In the file, a count that stands in the list of large ones."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """N-grams and their counts. The root, node 0, is the empty n-gram and has no entry in the arrays.

    Attributes:
        keys: uint32 or uint64 [n], of nodes 1 to n, ascending.
        counts: int64 [n]. Of the longest n-grams, and of those that begin a text, how often they occur; of the others,
            how many different symbols stand before them.
        suffixes: int64 [n], node of the n-gram without its first symbol.
        levels: nodes of length k are ``range(levels[k - 1], levels[k])``; [order + 1].
    """

    keys: NDArray[Any]
    counts: Ids
    suffixes: Ids
    levels: tuple[int, ...]

    @property
    def parents(self) -> Ids:
        """Node of each n-gram without its last symbol: [n]."""
        found: Ids = (self.keys >> self.keys.dtype.type(BITS)).astype(np.int64)
        return found

    @property
    def symbols(self) -> NDArray[np.int16]:
        """Last symbol of each n-gram: [n]."""
        found: NDArray[np.int16] = (self.keys & self.keys.dtype.type(SYMBOL)).astype(np.int16)
        return found


@dataclass(frozen=True)
class Smoothed:
    """What a tree says of the next symbol. Contexts are the nodes that can have children, root included.

    Attributes:
        probabilities: float64 [nodes], of each n-gram's last symbol after the others.
        weights: float64 [contexts], the share that a context leaves to the context without its first symbol.
        best: int16 [contexts], the most likely symbol after it; the lowest of equal ones.
    """

    probabilities: Floats
    weights: Floats
    best: NDArray[np.int16]


def child(keys: NDArray[Any], parents: Ids, symbols: NDArray[Any]) -> Ids:
    """Node of each parent's child with this symbol, -1 where it has none. keys: of a tree. Returns [n]."""
    wanted = (parents << BITS | symbols).astype(keys.dtype)
    at = np.searchsorted(keys, wanted)
    return np.where(keys[np.minimum(at, len(keys) - 1)] == wanted, at + 1, -1)


def counted(symbols: Symbols, begins: Ids, order: int) -> Tree:
    """Every n-gram of up to ``order`` symbols within a text. symbols, begins: from ``byte_model.stream``.

    The tree is less high where no text is as long as ``order``.
    """
    depth = np.arange(len(symbols)) - np.repeat(begins, np.diff(begins, append=len(symbols)))
    nodes = np.zeros(len(symbols), np.int64)  # of the n-gram that ends at each place
    levels, counts, suffixes = [1], list[Ids](), list[Ids]()
    keys: list[Ids] = []
    alphabet = np.unique(symbols)
    rank = np.searchsorted(alphabet, np.arange(SYMBOLS))
    for length in range(1, order + 1):
        places = np.flatnonzero(depth >= max(length - 1, 1))
        if not len(places):
            break
        # Few symbols are in use: numbered without gaps, keys are small enough to be counted in a table.
        low = levels[-2] if length > 1 else 0
        dense = (nodes[places - 1] - low) * len(alphabet) + rank[symbols[places]]
        unique, which, occurs = distinct(dense, (levels[-1] - low) * len(alphabet))
        suffix = np.zeros(len(unique), np.int64)
        suffix[which] = nodes[places]
        if length > 1:
            # A shorter n-gram counts by what stands before it; where nothing can, by how often it occurs.
            before = np.bincount(suffix, minlength=levels[-1])[levels[-2] :]
            counts[-1] = np.where(before > 0, before, counts[-1])
        longer = np.zeros(len(symbols), np.int64)
        longer[places] = which + levels[-1]
        if length == 1:
            longer[begins] = levels[-1] + np.searchsorted(unique, rank[BOUNDARY])
        nodes = longer
        keys.append(unique // len(alphabet) + low << BITS | alphabet[unique % len(alphabet)])
        counts.append(occurs)
        suffixes.append(suffix)
        levels.append(levels[-1] + len(unique))
    joined = _narrow(np.concatenate(keys), levels[-2])
    return Tree(joined, np.concatenate(counts), np.concatenate(suffixes), tuple(levels))


def distinct(keys: Ids, most: int) -> tuple[Ids, Ids, Ids]:
    """The different keys in order, which of them each key is, and how often each occurs. keys: [n], below ``most``.

    As ``np.unique`` has it; faster, without sorting, where a table of all possible keys is about as long as the keys.
    """
    if most > 2 * len(keys) + (1 << 16):
        unique, which, occurs = np.unique(keys, return_inverse=True, return_counts=True)
        return unique, which, occurs
    table = np.bincount(keys, minlength=most)
    unique = np.flatnonzero(table)
    number = np.cumsum(table > 0) - 1
    return unique, number[keys], table[unique]


def discounts(counts: Ids) -> tuple[float, float, float]:
    """What is taken from an n-gram that is counted once, twice, or more often; above 0 and below that count."""
    ones, twos, threes, fours = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if min(ones, twos, threes, fours) < 1:
        return USUAL
    share = ones / (ones + 2 * twos)
    found = (1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos, 3 - 4 * share * fours / threes)
    return found if all(0 < taken < count for count, taken in enumerate(found, 1)) else USUAL


def smoothed(tree: Tree) -> Smoothed:
    """Interpolate every n-gram with the one without its first symbol, single symbols with a uniform choice."""
    contexts = tree.levels[-2]
    parents, symbols = tree.parents, tree.symbols
    probabilities, weights = np.zeros(len(tree.keys) + 1), np.ones(contexts)
    best, top = np.zeros(contexts, np.int16), np.full(contexts, 1 / SYMBOLS)
    low = 0
    for begin, end in pairwise(tree.levels):
        own = slice(begin - 1, end - 1)
        counts, parent = tree.counts[own], parents[own] - low
        taken = np.array([0, *discounts(counts)])[np.minimum(counts, 3)]
        totals = np.bincount(parent, counts, begin - low)
        left = np.bincount(parent, taken, begin - low)
        # A context that only ends texts leaves everything to the shorter one.
        weights[low:begin] = np.divide(left, totals, out=np.ones(begin - low), where=totals > 0)
        lower = probabilities[tree.suffixes[own]] if low else 1 / SYMBOLS
        probabilities[begin:end] = (counts - taken) / totals[parent] + weights[low:begin][parent] * lower
        if low:
            shorter = tree.suffixes[low - 1 : begin - 1]
            best[low:begin], top[low:begin] = best[shorter], top[shorter]
        top[low:begin] *= weights[low:begin]
        _take_peaks(best[low:begin], top[low:begin], parent, symbols[own], probabilities[begin:end])
        low = begin
    return Smoothed(probabilities, weights, best)


def _take_peaks(
    best: NDArray[np.int16], top: Floats, parent: Ids, symbols: NDArray[np.int16], probabilities: Floats
) -> None:
    """Correct the most likely symbols of contexts, as shorter contexts have them, by those of their own children.

    No other symbol can be more likely: what is no child keeps the order that it has after the shorter context, and what
    is a child there and here is more likely than its share of the shorter context.
    """
    peaks = np.zeros(len(best))
    firsts = np.flatnonzero(np.diff(parent, prepend=-1))
    peaks[parent[firsts]] = np.maximum.reduceat(probabilities, firsts)
    at = np.flatnonzero(probabilities == peaks[parent])[::-1]
    chosen = best.copy()
    chosen[parent[at]] = symbols[at]  # backwards, so that the first one stays
    better = (peaks > top) | ((peaks == top) & (chosen < best))
    best[better], top[better] = chosen[better], peaks[better]


def written(tree: Tree) -> dict[str, NDArray[Any]]:
    """The tree in about three bytes for each n-gram: last symbol, count, number of children."""
    symbols = tree.symbols
    symbols[symbols == BOUNDARY] = NEVER
    return {
        "symbols": symbols.astype(np.uint8),
        "children": np.bincount(tree.parents, minlength=tree.levels[-2]).astype(np.uint8),
        "counts": np.minimum(tree.counts, ESCAPE).astype(np.uint8),
        "large": tree.counts[tree.counts >= ESCAPE].astype(np.uint32),
    }


def grown(order: int, tensors: Tensors) -> Tree:
    """The tree that :func:`written` wrote.

    Raises:
        ValueError, KeyError: the arrays are none of a tree.
    """
    if any(tensors[name].dtype.kind != "u" or tensors[name].ndim != 1 for name in WRITTEN):
        raise ValueError("an array has another type than those of a tree")
    symbols, fan, counts, large = (tensors[name].astype(np.int64) for name in WRITTEN)
    symbols[symbols == NEVER] = BOUNDARY
    if len(counts) != len(symbols) or (counts == ESCAPE).sum() != len(large):
        raise ValueError("there are not as many counts as n-grams")
    counts[counts == ESCAPE] = large
    levels, low = [1], 0
    for _ in range(order):
        low, size = levels[-1], int(fan[low : levels[-1]].sum())
        levels.append(low + size)
    if levels[-1] != len(symbols) + 1 or levels[-2] != len(fan) or min(np.diff(levels)) < 1:
        raise ValueError("the numbers of children do not add up")
    if counts.min() < 1:
        raise ValueError("an n-gram is counted less than once")
    keys = np.repeat(np.arange(len(fan)), fan) << BITS | symbols
    if (np.diff(keys) < 1).any():
        raise ValueError("the children of a node are not in order")
    tree = Tree(_narrow(keys, len(fan)), counts, np.zeros(len(keys), np.int64), tuple(levels))
    for begin, end in pairwise(levels[1:]):
        own = slice(begin - 1, end - 1)
        tree.suffixes[own] = child(tree.keys, tree.suffixes[tree.parents[own] - 1], symbols[own])
        if (tree.suffixes[own] < 0).any():
            raise ValueError("an n-gram is there and its end is not")
    return tree


def _narrow(keys: NDArray[Any], parents: int) -> NDArray[Any]:
    """Keys in 32 bits where those of so many parents, and the one behind the last, fit."""
    return keys.astype(np.uint32 if parents < (1 << 32 - BITS) - 1 else np.uint64)
