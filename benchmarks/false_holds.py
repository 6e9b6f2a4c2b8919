"""How often does lighten say *holds* when the candidate is exactly as bad as the floor allows? At most 5 % is promised.

    python benchmarks/false_holds.py [--repeats 4000] [--only TEXT] [--json]

Every cell simulates a candidate whose true quality lies on the floor, the worst case that must be refused, hands the
answers of both models to the product's own meter, and counts the verdicts *holds*. What ``--keep`` accepts has its
cells (``designs.py``): losses against the original, shares of the original's value, values by themselves; independent
rows, groups, units, documents. Exit code 1 when a rate exceeds 5 % by more than 3 Monte-Carlo standard errors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain, pairwise, product
from math import sqrt

import numpy as np
import numpy.typing as npt
from designs import Design, asked, designs
from draws import Case, counted

from lighten.core import catalog
from lighten.core.budget import Constraint
from lighten.core.meter import QualityMeter
from lighten.measure.quality import verdict
from lighten.proof import Verdict, fixed_sequence
from lighten.proof.confidence_sequence import log_evidence

LEVEL = 0.05
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """One simulated situation: false *holds* as a share of ``repeats``, and exactly where that can be computed."""

    quantity: str
    kind: str
    setting: str
    bound: float
    repeats: int
    rate: float
    exact: float | None = None

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of a rate of 5 %."""
        return sqrt(LEVEL * (1.0 - LEVEL) / self.repeats)

    @property
    def too_high(self) -> bool:
        """Whether the rate exceeds 5 % by more than chance explains."""
        return self.rate > LEVEL + 3.0 * self.error


class Judge:
    """The product's verdicts; those on the same counts come up again and again and are remembered."""

    def __init__(self) -> None:
        every = {name: catalog.load("meters", name)() for name in catalog.names("meters")}
        self.meters = {name: meter for name, meter in every.items() if isinstance(meter, QualityMeter)}
        self.known: dict[object, Verdict] = {}

    def __call__(self, floor: Constraint, case: Case, seed: int) -> Verdict:
        """The verdict on a sample."""
        key = (floor, case.key) if case.key is not None else None
        if key is not None and key in self.known:
            return self.known[key]
        found = verdict(self.meters, floor, case.original, case.candidate, case.rows, seed)
        if key is not None:
            self.known[key] = found
        return found


def cell(design: Design, judge: Judge, repeats: int, rng: np.random.Generator) -> Cell:
    """Simulate one design."""
    times = max(100, int(repeats * design.share))
    held = sum(judge(design.floor, design.draw(rng), int(rng.integers(2**31))).holds for _ in range(times))
    exact = design.exact(lambda case: judge(design.floor, case, 0).holds) if design.exact else None
    floor = design.floor
    return Cell(floor.metric, design.kind, design.setting, floor.bound, times, held / times, exact)


def sequence_cells(judge: Judge, repeats: int, rng: np.random.Generator) -> Iterator[Cell]:
    """The whole procedure: any candidate at or beyond the margin that is declared to hold is an error."""
    n, margin, disagreement = 3000, 0.01, 0.05
    plans = {
        "all five at the margin": (1.0, 1.0, 1.0, 1.0, 1.0),
        "two good, three at the margin": (0.0, 0.0, 1.0, 1.0, 1.0),
        "sliding from good to double the margin": (0.0, 0.25, 0.5, 1.0, 2.0),
        "wrong order: at the margin, good, at the margin": (1.0, 0.0, 1.0),
    }
    for (name, losses), nested in product(plans.items(), (False, True)):
        if nested and any(later < earlier for earlier, later in pairwise(losses)):
            continue  # flips that pile up cannot shrink the loss
        draw = _piling_up if nested else _independent
        tables = draw(np.array(losses) * margin, disagreement, n, repeats, rng)
        errors = sum(_any_false(judge, table, losses, n, asked("accuracy", margin)) for table in tables)
        how = "flips pile up" if nested else "independent"
        yield Cell("accuracy", "sequence", f"{name}, {how}", margin, repeats, errors / repeats)


def _any_false(judge: Judge, table: Ints, losses: tuple[float, ...], n: int, floor: Constraint) -> bool:
    ordered = [
        (key, lambda b=int(b), c=int(c): [judge(floor, counted("accuracy", n, b, c), 0)])
        for key, (b, c) in enumerate(table)
    ]
    return any(losses[key] >= 1.0 for key in fixed_sequence(ordered).held)


def _independent(
    loss: npt.NDArray[np.float64], disagreement: float, n: int, repeats: int, rng: np.random.Generator
) -> Ints:
    """[repeats, candidates, 2] counts b and c, each candidate flipping items of its own."""
    rates = np.stack([(disagreement + loss) / 2, (disagreement - loss) / 2, np.full_like(loss, 1 - disagreement)], 1)
    return np.stack([rng.multinomial(n, rate, size=repeats)[:, :2] for rate in rates], axis=1)


def _piling_up(
    loss: npt.NDArray[np.float64], disagreement: float, n: int, repeats: int, rng: np.random.Generator
) -> Ints:
    """[repeats, candidates, 2] counts b and c, each candidate keeping the flips of the one before and adding breaks."""
    first = (disagreement - loss[-1]) / 2  # what is fixed; as many break, and the loss comes on top
    added = np.concatenate([[first + loss[0]], np.diff(loss), [first, 1 - 2 * first - loss[-1]]])
    draws = rng.multinomial(n, added, size=repeats)
    broke = np.cumsum(draws[:, : len(loss)], axis=1)
    return np.stack([broke, np.broadcast_to(draws[:, len(loss), None], broke.shape)], axis=2)


def anytime_cells(repeats: int, rng: np.random.Generator, steps: int = 3000) -> Iterator[Cell]:
    """A bound that is looked at after every one of ``steps`` outcomes: one that is ever below the share is an error."""
    plans = {
        "a share of 0.1 %": lambda before, step: 0.001,
        "a share of 2 %": lambda before, step: 0.02,
        "a share of 30 %": lambda before, step: 0.3,
        "nothing differs at first, then a tenth": lambda before, step: 0.1 * (step > steps // 10),
        "what differs comes in runs": lambda before, step: np.where(before, 0.5, 0.01),
    }
    times = max(100, repeats // 4)
    for name, share_after in plans.items():
        total, expected, before = np.zeros(times), np.zeros(times), np.zeros(times, bool)
        wrong = np.zeros(times, bool)
        for step in range(steps):
            share = np.broadcast_to(share_after(before, step), times)
            before = rng.random(times) < share
            total, expected = total + before, expected + share
            average = np.maximum(expected / (step + 1), 1e-12)
            wrong |= (total < expected) & (log_evidence(total, np.full(times, step + 1), average) > -np.log(LEVEL))
        yield Cell("disagreement", "any time", name, LEVEL, times, float(wrong.mean()))


def main() -> int:
    """Run every cell; the exit code says whether the promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=4_000, help="per cell; 100 to 400 where it is resampled")
    parser.add_argument("--only", default="", help="cells whose line contains this text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    rng, judge, started = np.random.default_rng(options.seed), Judge(), time.perf_counter()
    wanted = (one for one in designs() if options.only in f"{one.floor.metric} {one.kind} {one.setting}")
    simulated = (cell(one, judge, options.repeats, rng) for one in wanted)
    cells: list[Cell] = []
    if not options.json:
        print(f"{'quantity':<14}{'kind':<11}{'setting':<74}{'bound':>7}{'false':>7}{'error':>9}{'exact':>8}")
    whole = () if options.only else sequence_cells(judge, options.repeats, rng)
    anytime = anytime_cells(options.repeats, rng) if options.only in ("", "any time") else ()
    for one in chain(simulated, whole, anytime):
        cells.append(one)
        if not options.json:
            print(line(one), flush=True)
    failed = [one for one in cells if one.too_high]
    if options.json:
        rows = [{**asdict(one), "error": one.error, "too_high": one.too_high} for one in cells]
        print(json.dumps({"level": LEVEL, "cells": rows}))
    elif cells:
        worst = max(cells, key=lambda one: (one.rate - LEVEL) / one.error)
        seconds = time.perf_counter() - started
        print(f"\n{len(cells)} cells, {seconds:.0f} s. Above 5 % by over 3 errors: {len(failed)}.")
        print(f"Farthest above 5 %: {worst.rate:.2%} +- {worst.error:.2%} ({worst.quantity}, {worst.setting}).")
    return 1 if failed else 0


def line(one: Cell) -> str:
    """One row of the table."""
    exact = f"{one.exact:.2%}" if one.exact is not None else "-"
    flag = "TOO HIGH" if one.too_high else ""
    return (
        f"{one.quantity:<14}{one.kind:<11}{one.setting:<74}{one.bound:>7.4g}{one.rate:>7.2%} +- {one.error:.2%}"
        f"{exact:>8}  {flag}"
    )


if __name__ == "__main__":
    sys.exit(main())
