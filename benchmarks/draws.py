"""Simulated answers of two models whose true difference is known, as a session would give them: see ``designs.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from lighten.core.language_codes import BYTES, NATS, PROBED, PROBES, TOKENS, answer_code
from lighten.core.rows import Rows
from lighten.proof import macro_f1
from lighten.tasks._retrieval import OWN, nearness

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


def gained(metric: str, n: int, value: float, rng: np.random.Generator) -> Case:
    """As :func:`alone`, with an original that is right on 85 % of the rows, and no part of the verdict."""
    shown = alone(metric, n, value, rng)
    return Case(shown.rows, ANSWERS[metric](rng.random(n) < 0.85), shown.candidate, shown.key)


def swapped(draw: Callable[[np.random.Generator], Case], rng: np.random.Generator) -> Case:
    """The candidate of another design for the original and its original for the candidate, which is better by that."""
    shown = draw(rng)
    return Case(shown.rows, shown.candidate, shown.original, shown.key)


def changed(metric: str, n: int, rate: float, rng: np.random.Generator) -> Case:
    """Independent rows of which a share gets another answer."""
    moved = int(rng.binomial(n, rate))
    return counted({"flips": "accuracy", "answer_flips": "exact_match"}[metric], n, moved, 0)


Holds = Callable[[Case], bool]


def exact_paired(metric: str, n: int, disagreement: float, margin: float, holds: Holds) -> float:
    """P(holds) of :func:`paired`: for each number that is fixed, what holds does so up to some number that broke."""
    broke, fixed = (disagreement + margin) / 2, (disagreement - margin) / 2
    total, most = 0.0, 0
    low, high = (int(binom.ppf(q, n, fixed)) for q in (1e-9, 1.0 - 1e-9))
    for c in range(low, high + 1):
        while most + c < n and holds(counted(metric, n, most, c)):
            most += 1  # first b that does not hold; it never falls as c grows
        total += float(binom.pmf(c, n, fixed) * binom.cdf(most - 1, n - c, broke / (1.0 - fixed)))
    return total


def exact_alone(metric: str, n: int, wrong: float, holds: Holds) -> float:
    """P(holds) of rows of which this share is wrong, or changed: what holds does so up to some number of them."""
    most = 0
    while most <= n and holds(counted(metric, n, most, 0)):
        most += 1
    return float(binom.cdf(most - 1, n, wrong))


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


def gained_in_units(
    metric: str, units: int, value: float, spread: str, sizes: tuple[int, int], rng: np.random.Generator
) -> Case:
    """As :func:`clustered` without noise: a candidate right on ``value`` of the rows, and an original on less."""
    shown = clustered(metric, units, 1.0 - value, spread, 0.0, sizes, rng)
    return Case(shown.rows, ANSWERS[metric](rng.random(len(shown.rows)) < value - 0.05), shown.candidate)


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


def bits(n: int, harm: str, margin: float, rng: np.random.Generator, units: int = 0) -> Case:
    """Documents of very unequal size that cost ``margin`` more bits per byte; those of a unit are changed alike."""
    size = np.ceil(rng.lognormal(6.0, 1.0, n))
    before = size * rng.normal(BITS, 0.2, n)
    change = _changes(n, harm, rng)
    unit = _unit_of(n, units)
    if unit is not None:  # half of the variance is the unit's
        change = (change + _changes(units, harm, rng)[unit]) / 2**0.5
    after = before + size * (margin + 0.08 * change)
    rows = plain_rows(n) if unit is None else with_units(n, unit.tolist())
    return Case(rows, documents(size, before * log(2.0)), documents(size, after * log(2.0)))


def _changes(n: int, harm: str, rng: np.random.Generator) -> Floats:
    """[n] changes with mean 0 and variance 1: ``even``, or ``heavy``, where a few carry them."""
    return rng.exponential(1.0, n) - 1.0 if harm == "heavy" else rng.normal(0.0, 1.0, n)


def tokens(n: int, rate: float, spread: str, rng: np.random.Generator, units: int = 0) -> Case:
    """Documents with this share of changed tokens, more in some than in others, or in some units of them."""
    unit = _unit_of(n, units)
    rates = unit_rates(n, rate, spread, rng) if unit is None else unit_rates(units, rate, spread, rng)[unit]
    moved = rng.random((n, PROBES)) < rates[:, None]
    size = np.full(n, 1000.0)
    rows = plain_rows(n) if unit is None else with_units(n, unit.tolist())
    return Case(rows, documents(size, size), documents(size, size, 1.0 + moved))


POOLED_SIZE, POOLED_NOISE = 12, 0.45
"""Numbers of a simulated vector, and the deviation by which query and document lie apart from what both mean."""
POOLED_LOSS: Mapping[str, float] = {"even": 0.0321, "hubs": 0.0119}
"""By how much each candidate of :func:`pooled` is worse, over two million rows of it (:func:`pooled_loss`)."""


@cache
def pairs(n: int) -> Rows:
    """n pairs of texts, each of which is to be found among the documents of its pool."""
    return Rows(tuple((f"query {i}", f"document {i}") for i in range(n)), (OWN,) * n)


def pooled(n: int, harm: str, rng: np.random.Generator) -> Case:
    """Vectors of queries and documents, judged in pools: the documents of a pool are what all its queries choose from.

    Args:
        harm: of the candidate: ``even``, all its vectors are less exact; ``hubs``, few of its documents are near to
            many queries, so that rows of a pool go wrong together.
    """

    def drawn(deviation: float, size: int = POOLED_SIZE) -> Floats:
        return deviation * rng.standard_normal((n, size))

    meant = drawn(1.0)
    before = np.hstack([meant + drawn(POOLED_NOISE), meant + drawn(POOLED_NOISE)])
    after = before + drawn(0.16, 2 * POOLED_SIZE)
    if harm == "hubs":
        after = before + drawn(0.08, 2 * POOLED_SIZE)
        hubs = rng.random(n) < 0.01
        after[hubs, POOLED_SIZE] += 3.0  # towards which one axis points, with the queries that lie there
    rows = pairs(n)
    return Case(rows, nearness(before, rows.inputs), nearness(after, rows.inputs))


def pooled_loss(harm: str, times: int = 2000, n: int = 1000) -> float:
    """By how much the candidate of :func:`pooled` is worse, in so many samples together."""
    rng, lost = np.random.default_rng(7), 0
    for _ in range(times):
        case = pooled(n, harm, rng)
        lost += int((case.original.argmax(1) == OWN).sum() - (case.candidate.argmax(1) == OWN).sum())
    return lost / (times * n)
