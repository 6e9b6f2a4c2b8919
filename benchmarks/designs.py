"""Designs of ``false_holds.py``: candidates that are exactly as bad as the floor allows, and no better.

Each is of one quantity that ``--keep`` accepts. What judges the answers is the product's own meter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from draws import (
    BITS,
    ERROR,
    LOSS,
    POOLED_LOSS,
    Case,
    alone,
    bits,
    brier,
    changed,
    clustered,
    confused,
    confusion,
    exact_alone,
    exact_paired,
    gained,
    gained_in_units,
    grouped,
    log_loss,
    paired,
    pooled,
    swapped,
    tokens,
)

from lighten.core.budget import Constraint


@dataclass(frozen=True)
class Design:
    """A situation that is simulated.

    Attributes:
        floor: what is asked; the candidate's true quality lies on it.
        setting: in words.
        draw: one sample of it.
        share: of the repeats that are asked for: less where a sample takes long.
        exact: the rate of what holds, summed over every sample there can be; None where those are too many.
    """

    floor: Constraint
    setting: str
    draw: Callable[[np.random.Generator], Case]
    share: float = 1.0
    exact: Callable[[Callable[[Case], bool]], float] | None = None

    @property
    def kind(self) -> str:
        """What is asked: ``difference``, ``share`` or ``absolute``."""
        return {"points": "difference", "ratio": "share", "": "absolute"}[self.floor.relative]

    @property
    def in_units(self) -> bool:
        """Whether its rows belong together."""
        return "units" in self.setting

    @property
    def gains(self) -> bool:
        """Whether the floor lies above what the original reaches."""
        return "a gain" in self.setting


def asked(metric: str, bound: float, relative: str = "points") -> Constraint:
    """A floor as the budget makes it."""
    return Constraint(metric, bound, relative, metric)


def designs() -> tuple[Design, ...]:
    """Every situation, by family."""
    families = (_right_or_wrong, _pools, _groups, _changes, _units, _scores, _macro, _documents)
    return tuple(one for family in families for one in family())


def _right_or_wrong() -> list[Design]:
    found = []
    small = [(200, 0.0305, 0.03), (300, 0.0205, 0.02), (300, 0.01, 0.01), (1000, 0.0027, 0.0027), (3000, 0.0012, 0.001)]
    large = [(n, d, m) for n in (500, 1000, 3000) for d in (0.02, 0.10) for m in (0.005, 0.01, 0.02)]
    for n, d, m in [*large, *small]:
        draw, exact = partial(paired, "accuracy", n, d, m), partial(exact_paired, "accuracy", n, d, m)
        found.append(Design(asked("accuracy", m), f"n={n} disagreement={d:g}", draw, exact=exact))
    draw, exact = partial(paired, "exact_match", 500, 0.1, 0.02), partial(exact_paired, "exact_match", 500, 0.1, 0.02)
    found.append(Design(asked("exact_match", 0.02), "n=500 disagreement=0.1", draw, exact=exact))
    for metric, sizes in (("accuracy", (200, 500, 1000, 3000)), ("exact_match", (400,))):
        for n, value in product(sizes, (0.8, 0.9, 0.99)):
            draw, exact = partial(alone, metric, n, value), partial(exact_alone, metric, n, 1.0 - value)
            found.append(Design(asked(metric, value, ""), f"n={n}, the original always right", draw, exact=exact))
    for n in (200, 1000):  # a floor above the original: a gain
        for metric in ("accuracy", "exact_match"):
            draw, exact = partial(gained, metric, n, 0.9), partial(exact_alone, metric, n, 0.1)
            found.append(Design(asked(metric, 0.9, ""), f"n={n}, a gain: the original at 0.85", draw, exact=exact))
    return found


def _pools() -> list[Design]:
    """Rows that share the documents among which each is to find its own."""
    return [
        Design(asked("accuracy", loss), f"n=1000 pairs in pools of 100, {harm} harm", partial(pooled, 1000, harm), 0.5)
        for harm, loss in POOLED_LOSS.items()
    ]


def _groups() -> list[Design]:
    uneven = (100, 150, 200, 400, 1000)
    found = []
    for sizes, name in (((200, 200), "2 x 200"), ((200,) * 5, "5 x 200"), (uneven, "5 of 100 to 1,000")):
        others = [0.0] * (len(sizes) - 1)
        for losses, which in (((0.05,) * len(sizes), "all"), ((0.05, *others), "the first")):
            draw = partial(grouped, sizes, losses, 0.08)
            found.append(Design(asked("worst_group", 0.05), f"{name}, {which} at the margin", draw, 0.1))
        for losses, which in (((0.0,) * len(sizes), "all"), ((0.0, *[-0.05] * len(others)), "the first")):
            draw = partial(grouped, sizes, losses, 0.08)
            found.append(Design(asked("worst_group", 0.9, ""), f"{name}, {which} at the floor", draw, 0.1))
        draw = partial(grouped, sizes, (-0.05,) * len(sizes), 0.08)
        found.append(Design(asked("worst_group", 0.95, ""), f"{name}, a gain: the original at 0.9", draw, 0.1))
    return found


def _changes() -> list[Design]:
    found = []
    for metric, shown, sizes in (
        ("flips", "accuracy", (200, 500, 1000, 3000)),
        ("answer_flips", "exact_match", (300,)),
    ):
        for n, rate in product(sizes, (0.01, 0.02, 0.1)):
            draw, exact = partial(changed, metric, n, rate), partial(exact_alone, shown, n, rate)
            found.append(Design(asked(metric, rate, ""), f"n={n}", draw, exact=exact))
        draw, exact = partial(changed, metric, 500, 0.02), partial(exact_alone, shown, 500, 0.02)
        found.append(Design(asked(metric, 0.02), "n=500", draw, exact=exact))
    return found


def _units() -> list[Design]:
    found = []
    for units, spread, sizes in (
        (50, "uneven", (5, 36)),
        (200, "uneven", (5, 36)),
        (200, "all or nothing", (20, 21)),
        (60, "all or nothing", (5, 36)),
        (1000, "all or nothing", (2, 3)),
    ):
        name = f"{units} units, {spread}"
        for metric in ("accuracy", "exact_match"):
            if metric == "exact_match" and (units, spread) != (50, "uneven"):
                continue
            draw = partial(clustered, metric, units, 0.02, spread, 0.08, sizes)
            found.append(Design(asked(metric, 0.02), name, draw, 0.05))
            draw = partial(clustered, metric, units, 0.1, spread, 0.0, sizes)
            found.append(Design(asked(metric, 0.9, ""), name, draw, 0.05))
            draw = partial(gained_in_units, metric, units, 0.9, spread, sizes)
            found.append(Design(asked(metric, 0.9, ""), f"{name}, a gain: the original at 0.85", draw, 0.05))
        for metric in ("flips", "answer_flips"):
            if metric == "answer_flips" and (units, spread) != (50, "uneven"):
                continue
            draw = partial(clustered, metric, units, 0.03, spread, 0.0, sizes)
            found.append(Design(asked(metric, 0.03, ""), name, draw, 0.05))
            if (units, spread) == (50, "uneven"):  # of an original that differs from itself nowhere
                found.append(Design(asked(metric, 0.03), name, draw, 0.05))
        draw = partial(clustered, "worst_group", 2 * units, 0.05, spread, 0.08, sizes)
        found.append(Design(asked("worst_group", 0.05), f"2 groups of {name}", draw, 0.05))
        draw = partial(clustered, "worst_group", 2 * units, 0.1, spread, 0.0, sizes)
        found.append(Design(asked("worst_group", 0.9, ""), f"2 groups of {name}", draw, 0.05))
        draw = partial(gained_in_units, "worst_group", 2 * units, 0.9, spread, sizes)
        name = f"2 groups of {name}, a gain: the original at 0.85"
        found.append(Design(asked("worst_group", 0.9, ""), name, draw, 0.05))
    return found


def _scores() -> list[Design]:
    found = []
    for n, units in ((200, 0), (1000, 0), (3000, 0), (1000, 50)):
        share = {200: 0.1, 1000: 0.05, 3000: 0.025}[n]
        for harm in ("even", "rare"):
            name = f"n={n}{f' in {units} units' if units else ''}, {harm} harm"
            if units and harm == "rare":
                continue
            for metric, true, draw in (("log_loss", LOSS, log_loss), ("brier", ERROR, brier)):
                if metric == "brier" and harm == "even":
                    continue
                make = partial(draw, n, harm, units)
                found.append(Design(asked(metric, 0.1 * true), name, make, share))
                found.append(Design(asked(metric, 0.1, "ratio"), name, make, share))
                found.append(Design(asked(metric, 1.1 * true, ""), name, make, share))
                gain = f"{name}, a gain: the original 10 % worse"
                found.append(Design(asked(metric, true, ""), gain, partial(swapped, make), share))
    for metric, true, draw in (("brier", ERROR, brier),):
        make = partial(draw, 1000, "rare", 50)
        found.append(Design(asked(metric, 0.1, "ratio"), "n=1000 in 50 units", make, 0.05))
        found.append(Design(asked(metric, 1.1 * true, ""), "n=1000 in 50 units", make, 0.05))
        found.append(Design(asked(metric, 0.1 * true), "n=1000 in 50 units", make, 0.05))
        name = "n=1000 in 50 units, a gain: the original 10 % worse"
        found.append(Design(asked(metric, true, ""), name, partial(swapped, make), 0.05))
    return found


def _macro() -> list[Design]:
    found = []
    three, rare, many = (0.6, 0.3, 0.1), (0.5, 0.3, 0.17, 0.03), (0.05,) * 20
    for n, prior, name, disagreement, margin, rarest, units in (
        (500, three, "3 classes", 0.05, 0.02, False, 0),
        (500, three, "3 classes", 0.15, 0.02, False, 0),
        (2000, three, "3 classes", 0.05, 0.02, False, 0),
        (500, rare, "rarest 3 %, it alone breaks", 0.06, 0.05, True, 0),
        (300, rare, "rarest 3 %, it alone breaks", 0.06, 0.08, True, 0),
        (1000, many, "20 classes of 50", 0.06, 0.02, False, 0),
        (1000, three, "3 classes, 50 units", 0.08, 0.03, False, 50),
    ):
        true = confused(prior, disagreement, margin, rarest)
        draw = partial(confusion, n, prior, true, units)
        found.append(Design(asked("macro_f1", margin), f"{name}, n={n} d={disagreement:g}", draw, 0.05))
        found.append(Design(asked("macro_f1", true.candidate, ""), f"{name}, n={n} d={disagreement:g}", draw, 0.1))
    for n, units in ((500, 0), (1000, 50)):
        true = confused(three, 0.08, -0.03)
        name = f"3 classes, n={n}{f' in {units} units' if units else ''}, a gain: the original 3 points worse"
        draw = partial(confusion, n, three, true, units)
        found.append(Design(asked("macro_f1", true.candidate, ""), name, draw, 0.1))
    return found


def _documents() -> list[Design]:
    found = []
    for n in (40, 100, 200):
        for margin, relative in ((0.02, "points"), (0.02, "ratio"), (BITS + 0.02, "")):
            draw = partial(bits, n, "even", 0.02)
            found.append(Design(asked("bits_per_byte", margin, relative), f"{n} documents of unequal size", draw, 0.05))
        draw = partial(bits, n, "heavy", 0.02)
        name = f"{n} documents, few carry the loss"
        found.append(Design(asked("bits_per_byte", 0.02), name, draw, 0.1))
        for rate, spread in ((0.05, "uneven"), (0.05, "all or nothing"), (0.2, "uneven")):
            draw = partial(tokens, n, rate, spread)
            found.append(Design(asked("token_flips", rate, ""), f"{n} documents, {spread}", draw, 0.05))
    found.append(
        Design(asked("token_flips", 0.05), "100 documents, uneven", partial(tokens, 100, 0.05, "uneven"), 0.05)
    )
    for n in (40, 200):
        draw = partial(swapped, partial(bits, n, "even", 0.02))
        name = f"{n} documents of unequal size, a gain: the original 2 % worse"
        found.append(Design(asked("bits_per_byte", BITS, ""), name, draw, 0.05))
    for n, units, harm in ((200, 40, "even"), (200, 40, "heavy"), (1000, 100, "even")):
        draw, name = partial(bits, n, harm, 0.02, units=units), f"{n} documents in {units} units, {harm} loss"
        for margin, relative in ((0.02, "points"), (0.02, "ratio"), (BITS + 0.02, "")):
            found.append(Design(asked("bits_per_byte", margin, relative), name, draw, 0.05))
        name = f"{name}, a gain: the original 2 % worse"
        found.append(Design(asked("bits_per_byte", BITS, ""), name, partial(swapped, draw), 0.05))
    for n, units, spread in ((200, 40, "uneven"), (200, 40, "all or nothing"), (1000, 100, "uneven")):
        draw, name = partial(tokens, n, 0.05, spread, units=units), f"{n} documents in {units} units, {spread}"
        found.append(Design(asked("token_flips", 0.05, ""), name, draw, 0.05))
        found.append(Design(asked("token_flips", 0.05), name, draw, 0.05))
    return found
