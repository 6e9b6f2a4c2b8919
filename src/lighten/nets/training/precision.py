"""Precision and threads: what torch computes with on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from lighten.core.errors import InputError
from lighten.nets.training.eval_mode import eval_mode

ROWS = 512
"""Rows of the matrix product that is timed: a batch of 16 sentences of 32 tokens."""

TURNS = 25
"""How often each is timed. Four were too few: on a busy machine bf16 once won although it is half as fast."""

FEW, BRIEF = 16, 0.05
"""Rows that a whole network is timed on at the least, and seconds from which on there are enough of them: a small
network is faster in bf16 on 256 pictures and slower on 16, where the clock tells of casting only."""

TURNS_THERE_AND_BACK, LONGEST = 8, 3.0
"""How often a whole network is timed at most, and seconds after which it is timed no more."""

FAR = 3.0
"""How many times slower bf16 may be and be timed on after ``ENOUGH``: where a processor has no such arithmetic, it is
dozens of times slower, and 25 turns took 11 seconds of every training."""

ENOUGH = 0.5
"""Seconds that what may be a single busy moment gets to show otherwise."""

BOTH = (torch.float32, torch.bfloat16)
"""What is timed."""

LEAST_HIDDEN, LEAST_WIDE = 256, 1024
"""A narrower network is timed at these widths: products that take microseconds tell more of the clock than of bf16."""

WORTH = 1.3
"""How many times faster bf16 must be; autocast spends the rest on casting."""

SWITCH = "LIGHTEN_PRECISION"
"""Environment variable that decides instead of the clock, so that two machines, or two runs, train the same weights."""

NAMED: Mapping[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16}
"""What ``SWITCH`` may say beside ``auto``."""


@contextmanager
def using_threads(threads: int) -> Iterator[None]:
    """Let torch compute with ``threads`` threads inside, and with as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def autocast_dtype(
    net: nn.Module, threads: int, ask: Callable[[int], Tensor] | None = None, most: int = FEW, wanted: str = "auto"
) -> torch.dtype | None:
    """``torch.bfloat16`` when this machine multiplies this network's matrices clearly faster in it, else None.

    Machines with AMX do (4x); with AVX-512 only, bf16 is at half the speed of fp32. Nothing but the clock tells
    them apart for sure, so it is measured once per process, shape and thread count (about a fifth of a second).
    A network that is no stack of such matrices, as one of convolutions, is timed itself, there and back.
    Where the clock must not decide, ``LIGHTEN_PRECISION`` does: ``fp32``, ``bf16`` or ``auto``.

    Args:
        ask: computes outputs for as many rows as it is told. most: rows of a batch.
        wanted: ``fp32`` or ``bf16`` where the user decides.

    Raises:
        InputError: it says something else.
    """
    if wanted in NAMED:
        return NAMED[wanted]
    named = os.environ.get(SWITCH, "") or "auto"
    if named in NAMED:
        return NAMED[named]
    if named != "auto":
        raise InputError(f"{SWITCH} is {named!r}.", allowed=", ".join(("auto", *NAMED)), fix=f"unset {SWITCH}")
    sizes = [_size(net, "hidden_size"), _size(net, "hidden_dim") or _size(net, "intermediate_size")]
    if ask is not None and not all(sizes):
        speedup = _speedup_of(net, ask, most, threads)
    else:
        speedup = _speedup(max(sizes[0], LEAST_HIDDEN), max(sizes[1], LEAST_WIDE), threads)
    return torch.bfloat16 if speedup >= WORTH else None


def _size(net: nn.Module, name: str) -> int:
    value = getattr(getattr(net, "config", None), name, None)
    return value if isinstance(value, int) else 0


def _speedup_of(net: nn.Module, ask: Callable[[int], Tensor], most: int, threads: int) -> float:
    """Times that bf16 is faster than fp32 for answers of a network and their gradients."""

    def there_and_back(rows: int, dtype: torch.dtype) -> float:
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
            answers = ask(rows)
        answers.sum().backward()
        return time.perf_counter() - start

    with using_threads(threads), eval_mode(net):  # statistics of batch norms stay as they are
        rows = min(FEW, most)
        while rows < most and there_and_back(rows, torch.float32) < BRIEF:
            rows = min(2 * rows, most)
        speedup = speedup_by_turns(lambda dtype: there_and_back(rows, dtype), TURNS_THERE_AND_BACK, LONGEST)
    net.zero_grad(set_to_none=True)
    return speedup


@cache
def _speedup(hidden: int, wide: int, threads: int) -> float:
    """Times that bf16 is faster than fp32 for [ROWS, hidden] x [hidden, wide] on this machine."""
    with using_threads(threads), torch.inference_mode():
        operands = {
            dtype: (torch.ones(ROWS, hidden, dtype=dtype), torch.ones(wide, hidden, dtype=dtype)) for dtype in BOTH
        }

        def product(dtype: torch.dtype) -> float:
            start = time.perf_counter()
            linear(*operands[dtype])
            return time.perf_counter() - start

        return speedup_by_turns(product, TURNS)


def speedup_by_turns(seconds_of: Callable[[torch.dtype], float], turns: int, longest: float = float("inf")) -> float:
    """Times that bf16 is faster than fp32 by the fastest of each; they take turns, so that a busy moment hits both.

    Args:
        seconds_of: computes with a type and says how long it took. The first time of each makes kernels and does not
            count.
        turns: how often each is timed at most. longest: seconds after which neither is timed any more.
    """
    best = dict.fromkeys(BOTH, float("inf"))
    begun = time.perf_counter()
    for turn in range(turns + 1):
        for dtype in BOTH:
            took = seconds_of(dtype)
            if turn:
                best[dtype] = min(best[dtype], took)
        most = ENOUGH if best[torch.bfloat16] > FAR * best[torch.float32] else longest
        if turn and time.perf_counter() - begun > most:
            break
    return best[torch.float32] / best[torch.bfloat16]
