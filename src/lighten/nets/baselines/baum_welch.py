"""Expectation and maximization of a hidden Markov model (Baum-Welch), many sequences at a time.

Probabilities are scaled at every place, so that those of long texts do not vanish. Learning begins from the most
frequent n-grams: each of them is a state at first, which is much nearer to the end than chance.

Source: Rabiner, A tutorial on hidden Markov models and selected applications in speech recognition, 1989.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lighten.nets.baselines.byte_model import SYMBOLS, Floats, Symbols
from lighten.nets.baselines.packed import Packed

LONGEST = 512
"""Symbols of a sequence while learning; longer texts are learned in pieces."""
TOGETHER = 1 << 21
"""Expectations that are held at a time, one for each symbol and state."""
GRAM = 4
"""Symbols of the longest n-grams that are states at first."""
LOOSE = 1.0
"""What a state does at first as all of them do, against what its n-gram does: room to become something else."""
ENOUGH = 1e-4
"""Relative gain of likelihood below which learning ends."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Chain:
    """The numbers of a hidden Markov model.

    Attributes:
        initial: float64 [states], probability of each state at a first symbol.
        transition: float64 [states, states], from row to column.
        emission: float64 [states, SYMBOLS].
    """

    initial: Floats
    transition: Floats
    emission: Floats


@dataclass
class Expected:
    """How often everything is expected to have happened, given the sequences and a chain.

    Attributes:
        initial, transition, emission: counts, shaped as the chain's.
        likelihood: natural logarithm of the probability of the sequences.
    """

    initial: Floats
    transition: Floats
    emission: Floats
    likelihood: float = 0.0


def learned(
    symbols: Symbols, begins: Ids, states: int, iterations: int, heard: Callable[[int, float], bool]
) -> tuple[Chain, Expected]:
    """Learn until little is gained, and what is then expected. symbols, begins: from ``byte_model.stream``.

    Args:
        heard: called with the number of iterations done, from 0, and the log-likelihood of the texts by then, in nats;
            True ends learning.
    """
    packs = packed_pieces(symbols, begins, states)
    chain = first_guess(symbols, begins, states)
    done, last = 0, -np.inf
    while True:
        counts = expected(chain, packs)
        gain, last = counts.likelihood - last, counts.likelihood
        if heard(done, last) or done >= iterations or gain < ENOUGH * abs(last):
            return chain, counts
        chain, done = maximized(counts, chain), done + 1


def packed_pieces(symbols: Symbols, begins: Ids, states: int) -> list[Packed]:
    """Texts in pieces of at most ``LONGEST`` symbols, those of like length packed together."""
    ends = np.append(begins[1:], len(symbols)).tolist()
    pieces = [
        symbols[at : min(at + LONGEST, end)]
        for begin, end in zip(begins.tolist(), ends, strict=True)
        for at in range(begin, end, LONGEST)
    ]
    pieces.sort(key=len, reverse=True)
    packs: list[list[Symbols]] = []
    room = 0
    for piece in pieces:
        if len(piece) > room:
            packs.append([])
            room = max(TOGETHER // states, len(piece))
        packs[-1].append(piece)
        room -= len(piece)
    return [Packed.of(pack) for pack in packs]


def first_guess(symbols: Symbols, begins: Ids, states: int) -> Chain:
    """A chain whose states are the most frequent n-grams, loosened; one state is for all that end in none of them."""
    lengths = np.diff(begins, append=len(symbols))
    depth = np.arange(len(symbols)) - np.repeat(begins, lengths)
    grams = [symbols.astype(np.int64)]
    for length in range(1, GRAM):
        longer = np.full(len(symbols), -1)
        places = np.flatnonzero(depth >= length)
        longer[places] = grams[-1][places - 1] << 9 | symbols[places]
        grams.append(longer)
    kinds = [np.unique(gram[gram >= 0], return_counts=True) for gram in grams]
    least = np.sort(np.concatenate([occurs for _, occurs in kinds]))[::-1][states - 2 : states - 1]
    hidden, used = np.full(len(symbols), states - 1), 0
    for gram, (unique, occurs) in zip(grams, kinds, strict=True):
        # Of equally frequent ones the shorter come first, until no state is left.
        chosen = unique[occurs >= (least[0] if len(least) else 1)][: states - 1 - used]
        if len(chosen):
            at = np.minimum(np.searchsorted(chosen, gram), len(chosen) - 1)
            hidden = np.where(chosen[at] == gram, at + used, hidden)
        used += len(chosen)
    inner = np.flatnonzero(depth > 0)
    moves = np.bincount(hidden[inner - 1] * states + hidden[inner], minlength=states * states)
    emits = np.bincount(hidden * SYMBOLS + symbols, minlength=states * SYMBOLS)
    initial = np.bincount(hidden[begins], minlength=states).astype(np.float64) + 1
    return Chain(shares(initial), _loosened(moves.reshape(states, -1)), _loosened(emits.reshape(states, -1)))


def _loosened(counts: Ids) -> Floats:
    """Rows of counts to probabilities, mixed with what all rows do together; a row of nothing is only that."""
    usual = counts.sum(axis=0) / counts.sum()
    return shares(counts + (LOOSE * counts.sum(axis=1, keepdims=True) + 1) * usual)


def expected(chain: Chain, packs: Sequence[Packed]) -> Expected:
    """Forward and backward through all sequences: expected counts, and the likelihood."""
    counts = Expected(np.zeros_like(chain.initial), np.zeros_like(chain.transition), np.zeros_like(chain.emission))
    for packed in packs:
        emitted = chain.emission.T[packed.symbols]
        forward, scale = _forward(chain, packed, emitted)
        counts.likelihood += float(np.log(scale).sum())
        emitted /= scale[:, None]
        backward = np.ones_like(forward)
        times = list(pairwise(packed.offsets))
        for (begin, _), (after, end) in zip(times[-2::-1], times[:0:-1], strict=True):
            emitted[after:end] *= backward[after:end]
            np.matmul(emitted[after:end], chain.transition.T, out=backward[begin : begin + end - after])
        counts.transition += forward[packed.before].T @ emitted[packed.offsets[1] :]
        forward *= backward
        counts.initial += forward[: packed.offsets[1]].sum(axis=0)
        order = np.argsort(packed.symbols, kind="stable")
        firsts = np.flatnonzero(np.diff(packed.symbols[order], prepend=-1))
        counts.emission[:, packed.symbols[order[firsts]]] += np.add.reduceat(forward[order], firsts).T
    counts.transition *= chain.transition
    return counts


def _forward(chain: Chain, packed: Packed, emitted: Floats) -> tuple[Floats, Floats]:
    """State probabilities given what was read so far, [n, states], and of each symbol given those before it, [n]."""
    states, scale = np.empty_like(emitted), np.empty(len(emitted))
    last = 0
    for begin, end in pairwise(packed.offsets):
        now = states[begin:end]
        if begin:
            np.matmul(states[last : last + end - begin], chain.transition, out=now)
            now *= emitted[begin:end]
        else:
            np.multiply(chain.initial, emitted[:end], out=now)
        scale[begin:end] = now.sum(axis=1)
        now /= scale[begin:end, None]
        last = begin
    return states, scale


def maximized(counts: Expected, chain: Chain) -> Chain:
    """The chain under which the counts are most likely; a state that was never in use stays as it is."""
    emits = counts.emission.sum(axis=1, keepdims=True) > 0
    moves = counts.transition.sum(axis=1, keepdims=True) > 0
    return Chain(
        shares(counts.initial),
        np.where(moves, shares(counts.transition), chain.transition),
        np.where(emits, shares(counts.emission), chain.emission),
    )


def shares(counts: Floats) -> Floats:
    """Counts over their sum along the last axis; 0 where that is 0."""
    total = counts.sum(axis=-1, keepdims=True)
    found: Floats = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return found
