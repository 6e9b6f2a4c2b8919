"""Rungs that take turns: what benchmarks of several engines share. A rung is one thing that a user could pick.

A turn in which others took much of the cores, or which took far longer than the same rung at its best beside the first
one, is set aside and taken again (see ``lighten.measure.rounds``). Ratios are medians of the ratios of the turns that
count, ± half their interquartile range.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.result import LOWER
from lighten.core.spread import half_iqr
from lighten.isolate.neighbours import Neighbours
from lighten.measure.rounds import calm, ratios, severities

Outputs = NDArray[np.float32]
Answer = Callable[[list[Any]], Outputs]
"""Items to [n, classes]."""
FIRST, OURS = "torch eager fp32", "lighten's winner"
LEAST, MOST = 3, 3
"""Undisturbed turns below which figures are no result; how many times the turns asked for are taken at the most."""
KINDS = ("one", "many")


@dataclass
class Rung:
    """One thing that a user could pick.

    Attributes:
        one: answers a single request. ways: answer many rows, by what each way does. way: the fastest of them here.
    """

    one: Answer
    ways: Mapping[str, Answer]
    way: str = field(default="")

    def many(self, items: list[Any]) -> Outputs:
        """Answers in the order of ``items``, in the fastest way."""
        return self.ways[self.way](items)

    def settle(self, items: list[Any]) -> None:
        """Find the fastest way: each runs three times, the best run counts."""
        took = {}
        for name, way in self.ways.items():
            runs = []
            for _ in range(3 if len(self.ways) > 1 else 1):
                began = time.perf_counter()
                way(items)
                runs.append(time.perf_counter() - began)
            took[name] = min(runs)
        self.way = min(took, key=took.__getitem__)


@dataclass
class Turns:
    """The turns of one rung and one kind: what each cost, in seconds, and what others took of the cores meanwhile."""

    costs: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def take(self, run: Callable[[], float]) -> None:
        """Another turn. run: does it, and says what it cost."""
        time.sleep(0.03)  # threads of another runtime may still spin
        neighbours = Neighbours()
        self.costs.append(run())
        self.others.append(neighbours.share() or 0.0)


Field = dict[str, dict[str, Turns]]
"""Turns by rung, then by kind."""


def disturbances(field: Field, name: str, kind: str) -> list[float]:
    """How disturbed each turn of a rung was beside the first rung's; above 1 it says nothing."""
    own, first = field[name][kind], field[FIRST][kind]
    others = [max(pair) for pair in zip(own.others, first.others, strict=True)]
    return severities(own.costs, first.costs, others)


def quiet(field: Field, name: str, kind: str) -> int:
    """How many turns of a rung were undisturbed."""
    return sum(one <= 1.0 for one in disturbances(field, name, kind))


def measure(rungs: Mapping[str, Rung], batch: list[Any], singles: int, turns: int) -> Field:
    """All rungs in turns, every other round in reverse order, until each has enough turns that count."""
    found: Field = {name: {kind: Turns() for kind in KINDS} for name in rungs}
    for number in range(turns * MOST):
        items = [batch[(number * singles + i) % len(batch)] for i in range(singles)]
        for name in list(rungs) if number % 2 == 0 else list(reversed(rungs)):
            rung = rungs[name]
            found[name]["one"].take(partial(median_wait, rung, items))
            found[name]["many"].take(partial(seconds_for, rung, batch))
        print(f"round {number + 1} done", file=sys.stderr, flush=True)
        if min(quiet(found, name, kind) for name in rungs for kind in KINDS) >= turns:
            break
    return found


def median_wait(rung: Rung, items: Sequence[Any]) -> float:
    """Median seconds of single requests."""
    took = []
    for item in items:
        began = time.perf_counter()
        rung.one([item])
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def seconds_for(rung: Rung, items: list[Any]) -> float:
    """Seconds of all rows at once."""
    began = time.perf_counter()
    rung.many(items)
    return time.perf_counter() - began


def rows_of(field: Field, rungs: Mapping[str, Rung], accuracy: Mapping[str, float], rows: int) -> list[dict[str, Any]]:
    """What the table holds, one row per rung."""
    found = []
    for name, rung in rungs.items():
        row: dict[str, Any] = {"rung": name, "accuracy": accuracy[name], "way": rung.way}
        for kind in KINDS:
            kept = calm(disturbances(field, name, kind), least=LEAST)
            own, first = field[name][kind].costs, field[FIRST][kind].costs
            times = ratios([own[i] for i in kept], [first[i] for i in kept], LOWER)
            row |= {
                f"seconds_{kind}": statistics.median(own[i] for i in kept),
                f"times_{kind}": statistics.median(times),
                f"spread_{kind}": half_iqr(times) or 0.0,
                f"turns_{kind}": f"{quiet(field, name, kind)} of {len(own)}",
            }
        row["unsure"] = min(quiet(field, name, kind) for kind in KINDS) < LEAST
        row |= {"p50_ms": row["seconds_one"] * 1e3, "rows_per_second": rows / row["seconds_many"]}
        found.append(row)
    return found


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """The table."""
    print("quiet: turns that count; a rung with fewer than three is unsure, its figures are no result")
    print(f"{'rung':42s} {'accuracy':>8s} {'p50 ms':>7s} {'rows/s':>7s} {'x p50':>14s} {'x rows/s':>14s}  quiet, way")
    for row in rows:
        times = [f"{row[f'times_{kind}']:.2f} ± {row[f'spread_{kind}']:.2f}" for kind in KINDS]
        print(
            f"{row['rung']:42s} {row['accuracy']:8.4f} {row['p50_ms']:7.2f} {row['rows_per_second']:7.0f} "
            f"{times[0]:>14s} {times[1]:>14s}  {row['turns_one']}, {row['turns_many']}; {row['way']}"
            + ("  UNSURE" if row["unsure"] else "")
        )
