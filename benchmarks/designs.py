"""Simulated situations for ``false_holds.py``: candidates that are exactly as bad as the floor allows, and no better.

Each situation is of one quantity that ``--keep`` accepts, and gives answers as a session would: logits of classes, what
was said of documents, codes of answers to prompts. What judges them is the product's own meter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import log

import numpy as np
import numpy.typing as npt

from lighten.core.budget import Constraint
from lighten.core.language import BYTES, NATS, PROBED, PROBES, TOKENS, answer_code
from lighten.core.task import Rows
from lighten.proof import macro_f1

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Case:
    """One sample: rows, answers of the original and of the candidate, and where known, all that the verdict needs.

    Attributes:
        key: samples with the same key get the same verdict; None when that is not known.
    """

    rows: Rows
    original: npt.NDArray[np.generic]
    candidate: npt.NDArray[np.generic]
    key: tuple[object, ...] | None = None


@dataclass(frozen=True)
class Design:
    """A situation that is simulated.

    Attributes:
        floor: what is asked; the candidate's true quality lies on it.
        setting: in words.
        draw: one sample of it.
        share: of the repeats that are asked for: less where a sample takes long.
        stress: known to break the promise.
    """

    floor: Constraint
    setting: str
    draw: Callable[[np.random.Generator], Case]
    share: float = 1.0
    stress: bool = False

    @property
    def kind(self) -> str:
        """What is asked: ``difference``, ``share`` or ``absolute``."""
        return {"points": "difference", "ratio": "share", "": "absolute"}[self.floor.relative]


def asked(metric: str, bound: float, relative: str = "points") -> Constraint:
    """A floor as the budget makes it."""
    return Constraint(metric, bound, relative, metric)


@cache
def plain_rows(n: int) -> Rows:
    """n independent rows of class 1."""
    return Rows(("",) * n, (1,) * n, references=("right",) * n)


def with_units(n: int, units: Sequence[object], groups: Sequence[object] = ()) -> Rows:
    """Rows of class 1 that belong to units."""
    return Rows(("",) * n, (1,) * n, tuple(map(str, groups)), tuple(map(str, units)), references=("right",) * n)


def logits(right: Bools) -> Floats:
    """[n, 2] answers that are right or wrong about class 1."""
    return np.stack([~right, right], axis=1).astype(np.float64)


def codes(right: Bools) -> Floats:
    """[n, 1] answers to prompts that are right or wrong."""
    return np.where(right, answer_code("right"), answer_code("wrong"))[:, None]


ANSWERS: Mapping[str, Callable[[Bools], Floats]] = {"accuracy": logits, "exact_match": codes, "worst_group": logits}


def counted(metric: str, n: int, broke: int, fixed: int, wrong: int = 0) -> Case:
    """n rows of which some broke, some were fixed, some stayed wrong; the rest stayed right."""
    before, after = np.ones(n, bool), np.ones(n, bool)
    before[:fixed] = False
    after[fixed : fixed + broke] = False
    before[n - wrong :] = after[n - wrong :] = False
    make = ANSWERS[metric]
    return Case(plain_rows(n), make(before), make(after), (n, broke, fixed, wrong))


def paired(metric: str, n: int, disagreement: float, margin: float, rng: np.random.Generator) -> Case:
    """Independent rows of which (disagreement + margin) / 2 break and (disagreement - margin) / 2 are fixed."""
    broke, fixed = (disagreement + margin) / 2, (disagreement - margin) / 2
    b, c, _ = rng.multinomial(n, [broke, fixed, 1.0 - broke - fixed])
    return counted(metric, n, int(b), int(c))


def alone(metric: str, n: int, value: float, rng: np.random.Generator) -> Case:
    """Independent rows that the candidate has right with probability ``value``; the original is always right."""
    return counted(metric, n, n - int(rng.binomial(n, value)), 0)


def changed(metric: str, n: int, rate: float, rng: np.random.Generator) -> Case:
    """Independent rows of which a share gets another answer."""
    moved = int(rng.binomial(n, rate))
    return counted({"flips": "accuracy", "answer_flips": "exact_match"}[metric], n, moved, 0)


def unit_rates(units: int, mean: float, spread: str, rng: np.random.Generator) -> Floats:
    """[units] rates with this mean: ``even`` (a Beta), or ``all or nothing``."""
    if spread == "all or nothing":
        return (rng.random(units) < mean).astype(np.float64)
    return np.asarray(rng.beta(0.5, 0.5 / mean - 0.5, units))


def clustered(
    metric: str, units: int, harm: float, spread: str, noise: float, sizes: tuple[int, int], rng: np.random.Generator
) -> Case:
    """Rows in units, of which ``harm`` break, more in some units than in others; ``noise`` break and as many mend."""
    unit = np.repeat(np.arange(units), rng.integers(*sizes, units))
    n = unit.size
    hurt = rng.random(n) < unit_rates(units, harm / (1.0 - noise), spread, rng)[unit]
    fate = rng.random(n)
    before, after = (
        fate >= noise / 2,
        (fate < 1.0 - noise / 2) & ~((fate >= noise / 2) & (fate < 1.0 - noise / 2) & hurt),
    )
    make = ANSWERS[{"flips": "accuracy", "answer_flips": "exact_match"}.get(metric, metric)]
    groups = np.where(unit % 2 == 0, "a", "b")
    return Case(with_units(n, unit, groups), make(before), make(after))


def grouped(sizes: tuple[int, ...], losses: tuple[float, ...], disagreement: float, rng: np.random.Generator) -> Case:
    """Groups of independent rows, each with its own loss; the original is right on nine rows in ten of each group."""
    before, after, groups, counts = [], [], [], []
    for number, (size, loss) in enumerate(zip(sizes, losses, strict=True)):
        broke, fixed = (disagreement + loss) / 2, (disagreement - loss) / 2
        b, c, wrong, right = rng.multinomial(size, [broke, fixed, 0.1 - fixed, 0.9 - broke])
        before += [True] * b + [False] * c + [False] * wrong + [True] * right
        after += [False] * b + [True] * c + [False] * wrong + [True] * right
        groups += [f"group {number}"] * size
        counts.append((b, c, wrong, right))
    rows = Rows(("",) * len(groups), (1,) * len(groups), tuple(groups))
    return Case(rows, logits(np.array(before)), logits(np.array(after)), tuple(counts))


# scores of a row


def logits_of_losses(losses: Floats) -> Floats:
    """[n, 2] answers whose log loss on class 1 is that of each row, above 0."""
    return np.stack([np.zeros_like(losses), -np.log(np.expm1(losses))], axis=1)


def logits_of_errors(errors: Floats) -> Floats:
    """[n, 2] answers whose Brier score on class 1 is that of each row, between 0 and 2."""
    p = 1.0 - np.sqrt(errors / 2.0)
    return np.stack([np.zeros_like(p), np.log(p) - np.log1p(-p)], axis=1)


MOST_RIGHT = 0.9
LOSS = MOST_RIGHT * 0.12 + (1 - MOST_RIGHT) * 2.0
"""True log loss of the originals below."""


def _losses(n: int, rng: np.random.Generator) -> Floats:
    """Log losses of a model that is right on nine rows in ten: small, or large when it is wrong."""
    return np.where(rng.random(n) < MOST_RIGHT, rng.exponential(0.12, n), rng.gamma(2.0, 1.0, n)) + 1e-9


def log_loss(n: int, harm: str, units: int, rng: np.random.Generator) -> Case:
    """Every row's loss changes; on average it is 10 % more."""
    unit = _unit_of(n, units)
    before = _losses(n, rng)
    if units:  # rows of a unit are hard together
        before = before * rng.gamma(2.0, 0.5, units)[unit]
    if harm == "rare":  # one row in fifty becomes sure and wrong
        worse = rng.random(n) < 0.02
        after = np.where(worse, before + rng.exponential(0.1 * LOSS / 0.02, n), before * rng.uniform(0.8, 1.2, n))
    else:
        stretch = 1.1 * rng.gamma(4.0, 0.25, n)
        after = before * (1.1 * rng.gamma(8.0, 1 / 8, units)[unit] if units else stretch)
    return _scored(logits_of_losses(before), logits_of_losses(after), unit)


ERROR = 1.6 * (MOST_RIGHT * 0.05 + (1 - MOST_RIGHT) * 0.75)
"""True Brier score of the originals below."""


def brier(n: int, harm: str, units: int, rng: np.random.Generator) -> Case:
    """Every row's squared error changes; on average it is 10 % more."""
    unit = _unit_of(n, units)
    wrong = rng.random(n) >= MOST_RIGHT
    if units:
        wrong = rng.random(n) < rng.beta(0.5, 4.5, units)[unit]
    before = 1.6 * np.where(wrong, rng.beta(3.0, 1.0, n), rng.beta(0.5, 9.5, n)) + 1e-9
    noisy = before * rng.uniform(0.8, 1.2, n)
    rate = 0.1 * ERROR / (1.6 - ERROR)
    hurt = rng.random(n) < (rng.beta(0.3, 0.3 / rate - 0.3, units)[unit] if units else rate)
    after = np.where(hurt, 2.0 * rng.beta(4.0, 1.0, n), noisy)
    return _scored(logits_of_errors(before), logits_of_errors(np.clip(after, 1e-9, 2 - 1e-9)), unit)


def _unit_of(n: int, units: int) -> Ints | None:
    return np.arange(n) * units // n if units else None


def _scored(before: Floats, after: Floats, unit: Ints | None) -> Case:
    rows = plain_rows(len(before)) if unit is None else with_units(len(before), unit.tolist())
    return Case(rows, before, after)


# macro-F1


@dataclass(frozen=True)
class Confused:
    """Chances of every (truth, original, candidate), and the true macro-F1 of both."""

    chances: Floats
    original: float
    candidate: float


@cache
def confused(prior: tuple[float, ...], disagreement: float, margin: float, rarest: bool = False) -> Confused:
    """A candidate whose true macro-F1 is ``margin`` lower: it breaks rows of all classes, or of the rarest alone."""
    k = len(prior)
    truth, before, after = (axis.ravel() for axis in np.meshgrid(*[np.arange(k)] * 3, indexing="ij"))
    right, wrong = 0.88, 0.12 / (k - 1)
    first = np.array(prior)[truth] * np.where(before == truth, right, wrong)
    statistic = macro_f1(truth, k)

    def table(broke: float) -> Floats:
        fixed = max(disagreement - broke * right, 0.0)  # so that the share of changed predictions stays as asked
        hurt = np.where((truth == k - 1) | (not rarest), broke, disagreement / 2)
        leave = np.where(before == truth, hurt / (k - 1), fixed / (1.0 - right) / (k - 1))
        return np.asarray(first * np.where(after == before, 1.0 - (k - 1) * leave, leave))

    def values(broke: float) -> tuple[float, float]:
        weights = table(broke)[None, :] * 1e9
        return float(statistic(before, weights)[0]), float(statistic(after, weights)[0])

    low, high = 0.0, 1.0 if rarest else disagreement / right
    for _ in range(60):
        middle = (low + high) / 2
        old, new = values(middle)
        low, high = (middle, high) if old - new < margin else (low, middle)
    old, new = values(low)
    assert abs(old - new - margin) < 1e-6, "this margin cannot be reached"
    return Confused(table(low) / table(low).sum(), old, new)


def confusion(n: int, prior: tuple[float, ...], found: Confused, units: int, rng: np.random.Generator) -> Case:
    """n rows of it."""
    k = len(prior)
    rows = rng.choice(k**3, size=n, p=found.chances)
    truth, before, after = rows // k**2, rows // k % k, rows % k
    unit = tuple(map(str, (np.arange(n) * units // n).tolist())) if units else ()
    made = Rows(("",) * n, tuple(truth.tolist()), units=unit)
    return Case(made, np.eye(k)[before], np.eye(k)[after])


# documents


def documents(size: Floats, nats: Floats, probes: Floats | None = None) -> Floats:
    """What is said of documents of these sizes in bytes: [n, columns]."""
    said = np.zeros((size.size, PROBED + PROBES))
    said[:, BYTES], said[:, TOKENS], said[:, NATS] = size, np.maximum(size // 4, 1), nats
    said[:, PROBED:] = 1.0 if probes is None else probes
    return said


BITS = 1.0
"""True bits per byte of the originals below."""


def bits(n: int, harm: str, margin: float, rng: np.random.Generator) -> Case:
    """Documents of very unequal size that cost ``margin`` more bits per byte."""
    size = np.ceil(rng.lognormal(6.0, 1.0, n))
    before = size * rng.normal(BITS, 0.2, n)
    change = rng.exponential(1.0, n) - 1.0 if harm == "heavy" else rng.normal(0.0, 1.0, n)
    after = before + size * (margin + 0.08 * change)
    return Case(plain_rows(n), documents(size, before * log(2.0)), documents(size, after * log(2.0)))


def tokens(n: int, rate: float, spread: str, rng: np.random.Generator) -> Case:
    """Documents with this share of changed tokens, more in some than in others."""
    moved = rng.random((n, PROBES)) < unit_rates(n, rate, spread, rng)[:, None]
    size = np.full(n, 1000.0)
    return Case(plain_rows(n), documents(size, size), documents(size, size, 1.0 + moved))


# all of them


def designs() -> tuple[Design, ...]:
    """Every situation, by family."""
    return (*_right_or_wrong(), *_groups(), *_changes(), *_units(), *_scores(), *_macro(), *_documents())


def _right_or_wrong() -> list[Design]:
    found = []
    small = [(200, 0.0305, 0.03), (300, 0.0205, 0.02), (1000, 0.0027, 0.0027), (300, 0.01, 0.01), (3000, 0.0012, 0.001)]
    large = [(n, d, m) for n in (500, 1000, 3000) for d in (0.02, 0.10) for m in (0.005, 0.01, 0.02)]
    for n, d, m in [*large, *small]:
        found.append(Design(asked("accuracy", m), f"n={n} disagreement={d:g}", partial(paired, "accuracy", n, d, m)))
    found.append(Design(asked("exact_match", 0.02), "n=500", partial(paired, "exact_match", 500, 0.1, 0.02)))
    for n in (200, 500, 1000, 3000):
        for value in (0.8, 0.9, 0.99):
            draw = partial(alone, "accuracy", n, value)
            found.append(Design(asked("accuracy", value, ""), f"a gain, the original below; n={n}", draw))
    found.append(Design(asked("exact_match", 0.7, ""), "n=400", partial(alone, "exact_match", 400, 0.7)))
    return found


def _groups() -> list[Design]:
    uneven = (100, 150, 200, 400, 1000)
    found = []
    for sizes, name in (((200, 200), "2 x 200"), ((200,) * 5, "5 x 200"), (uneven, "5 of 100 to 1,000")):
        one = (0.05, *[0.0] * (len(sizes) - 1))
        for losses, which in (((0.05,) * len(sizes), "all at the margin"), (one, "the smallest at the margin")):
            draw = partial(grouped, sizes, losses, 0.08)
            found.append(Design(asked("worst_group", 0.05), f"{name}, {which}", draw))
        for losses, which in (((0.0,) * len(sizes), "all at the floor"), ((0.0, *[-0.05] * (len(sizes) - 1)), "one")):
            draw = partial(grouped, sizes, losses, 0.08)
            found.append(Design(asked("worst_group", 0.9, ""), f"{name}, {which} at the floor", draw))
    return found


def _changes() -> list[Design]:
    found = []
    for n in (200, 500, 1000, 3000):
        for rate in (0.01, 0.02, 0.1):
            draw = partial(changed, "flips", n, rate)
            found.append(Design(asked("flips", rate, ""), f"n={n}", draw))
    found.append(Design(asked("flips", 0.02), "n=500", partial(changed, "flips", 500, 0.02)))
    for relative in ("points", ""):
        draw = partial(changed, "answer_flips", 300, 0.03)
        found.append(Design(asked("answer_flips", 0.03, relative), "n=300", draw))
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
            found.append(Design(asked(metric, 0.02), name, draw, 0.2))
            draw = partial(clustered, metric, units, 0.1, spread, 0.0, sizes)
            found.append(Design(asked(metric, 0.9, ""), name, draw, 0.2))
        for metric in ("flips", "answer_flips"):
            if metric == "answer_flips" and (units, spread) != (50, "uneven"):
                continue
            draw = partial(clustered, metric, units, 0.03, spread, 0.0, sizes)
            found.append(Design(asked(metric, 0.03, ""), name, draw, 0.2))
        draw = partial(clustered, "worst_group", 2 * units, 0.05, spread, 0.08, sizes)
        found.append(Design(asked("worst_group", 0.05), f"2 groups of {name}", draw, 0.2))
    return found


def _scores() -> list[Design]:
    found = []
    for n, units in ((200, 0), (1000, 0), (3000, 0), (1000, 50)):
        share = 0.05 if n > 1000 else 0.1
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
    for metric, true, draw in (("brier", ERROR, brier),):
        make = partial(draw, 1000, "rare", 50)
        found.append(Design(asked(metric, 0.1, "ratio"), "n=1000 in 50 units", make, 0.1))
        found.append(Design(asked(metric, 1.1 * true, ""), "n=1000 in 50 units", make, 0.1))
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
        found.append(Design(asked("macro_f1", margin), f"{name}, n={n} d={disagreement:g}", draw, 0.1))
        found.append(Design(asked("macro_f1", true.candidate, ""), f"{name}, n={n} d={disagreement:g}", draw, 0.1))
    return found


def _documents() -> list[Design]:
    found = []
    for n in (40, 100, 200):
        for margin, relative in ((0.02, "points"), (0.02, "ratio"), (BITS + 0.02, "")):
            draw = partial(bits, n, "even", 0.02)
            found.append(Design(asked("bits_per_byte", margin, relative), f"{n} documents of unequal size", draw, 0.2))
        draw = partial(bits, n, "heavy", 0.02)
        name = f"{n} documents, few carry the loss"
        found.append(Design(asked("bits_per_byte", 0.02), name, draw, 0.2, stress=True))
        for rate, spread in ((0.05, "uneven"), (0.05, "all or nothing"), (0.2, "uneven")):
            draw = partial(tokens, n, rate, spread)
            found.append(Design(asked("token_flips", rate, ""), f"{n} documents, {spread}", draw, 0.2))
    found.append(Design(asked("token_flips", 0.05), "100 documents, uneven", partial(tokens, 100, 0.05, "uneven"), 0.2))
    return found
