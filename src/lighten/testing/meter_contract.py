"""Contract that every meter of the catalog keeps, lighten's own and a plug-in's: see :func:`check_meter`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lighten.core import catalog
from lighten.core.budget import Constraint
from lighten.core.language_codes import BYTES, NATS, PROBED, PROBES, TOKENS, answer_code
from lighten.core.meter import QualityMeter, SpeedMeter, Workload
from lighten.core.result import HIGHER, LOWER, Measured, Quantity
from lighten.core.rows import Rows
from lighten.tasks.text_generation import TextGeneration
from lighten.testing.fake import FakeLanguageSession
from lighten.testing.sessions import RecordingSession

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 300
"""Rows that a quality meter is shown, a third of which break."""
Case = tuple[Rows, "NDArray[Any]", "NDArray[Any]"]
"""Rows, answers of a good model, and answers of one that broke."""


def check_meter(name: str) -> None:
    """Check one meter of the catalog.

    Raises:
        AssertionError: it breaks the contract; says how.
    """
    entry = next(e for e in catalog.entries("meters") if e.name == name)
    assert entry.doc.endswith("."), f"the first line of {entry.module} must be one sentence that says what it measures"
    meter = catalog.load("meters", name)()
    _check_quantities(meter)
    if isinstance(meter, SpeedMeter):
        _check_speed(meter)
    else:
        _check_quality(meter)


def _check_quantities(meter: SpeedMeter | QualityMeter) -> None:
    assert meter.quantities, "a meter measures at least one quantity"
    others = [
        q.name
        for entry in catalog.entries("meters")
        for q in catalog.load("meters", entry.name).quantities
        if q not in meter.quantities
    ]
    for quantity in meter.quantities:
        assert quantity.unit and quantity.doc.endswith("."), f"{quantity.name} needs a unit and a sentence"
        assert quantity.direction in (LOWER, HIGHER), f"{quantity.name}: direction is {quantity.direction!r}"
        assert quantity.name not in others, f"two meters measure {quantity.name}"


def _check_speed(meter: SpeedMeter) -> None:
    work = Workload(tuple("ab" * n for n in range(1, 41)), tuple("abc" * n for n in range(1, 65)), 1_000_000, 0.5)
    for session in (RecordingSession(), TextGeneration().wrap(FakeLanguageSession())):
        meter.turn(session, work, -1)
        turns = []
        for number in range(max(meter.turns, 2)):
            turn = meter.turn(session, work, number)
            assert json.loads(json.dumps(turn)) == dict(turn), "a turn must consist of plain JSON values"
            turns.append(turn)
        for some in (turns, turns[:1]):  # one turn alone must do: ratios are taken turn by turn
            _check_values(meter.reduce(some), meter.quantities)


def _check_quality(meter: QualityMeter) -> None:
    for rows, good, bad in _cases():
        known = meter.measure(good, rows, good)
        _check_values(known, meter.quantities)
        if all(measured.value is not None for measured in known.values()):
            _check_judgement(meter, rows, good, bad)
            return
    raise AssertionError(f"{meter.quantities[0].name} must be known for answers of one of the kinds that tasks have")


def _cases() -> Iterator[Case]:
    """Every layout of answers: logits of classes, what was said of documents, codes of answers."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, N)
    said = tuple(f"answer {i}" for i in range(N))
    texts, groups = tuple(f"row {i}" for i in range(N)), tuple("ab"[i % 2] for i in range(N))
    rows = Rows(texts, tuple(targets.tolist()), groups)
    logits = rng.normal(size=(N, 3)).astype(np.float32)
    logits[np.arange(N), targets] += 3.0
    yield rows, logits, np.concatenate([-logits[:100], logits[100:]])
    documents = rng.integers(0, 1 << 48, (N, PROBED + PROBES)).astype(np.float64)
    documents[:, BYTES] = rng.integers(200, 2000, N)
    documents[:, TOKENS] = documents[:, BYTES] // 4
    documents[:, NATS] = documents[:, BYTES] * rng.normal(0.8, 0.1, N)
    broken = documents.copy()
    broken[:100, NATS] *= 1.5
    broken[:100, PROBED:] += 1.0
    yield rows, documents, broken
    answers = np.array([[answer_code(text)] for text in said])
    broken = answers.copy()
    broken[:100] += 1.0
    yield Rows(texts, (0,) * N, groups, references=said), answers, broken


def _check_judgement(meter: QualityMeter, rows: Rows, good: NDArray[Any], bad: NDArray[Any]) -> None:
    kept = good.copy(), bad.copy()
    first, second = meter.measure(good, rows, good), meter.measure(bad, rows, good)
    _check_values(second, meter.quantities)
    order = np.random.default_rng(1).permutation(N)
    shuffled = meter.measure(bad[order], rows.take(order.tolist()), good[order])
    assert np.array_equal(good, kept[0]) and np.array_equal(bad, kept[1]), "a meter must not change the answers"
    for quantity in meter.quantities:
        before, after = first[quantity.name].value, second[quantity.name].value
        again = shuffled[quantity.name].value
        assert before is not None and after is not None and again is not None, f"{quantity.name} must be known here"
        worse = after < before if quantity.direction == HIGHER else after > before
        assert worse, f"{quantity.name} does not see that a third of the answers broke"
        assert np.isclose(after, again), f"{quantity.name} depends on the order of the rows"
    (judged,) = meter.quantities
    if judged.unproved:
        _check_refusal(meter, judged, rows, good)
        return
    _check_verdicts(meter, judged, rows, good, bad)
    verdict = meter.judge(good, bad, rows, Constraint(judged.name, 0.001, "points", ""), 0)
    value = second[judged.name].value
    assert value is not None and np.isclose(verdict.candidate, value), "judge and measure must agree on the value"
    assert np.array_equal(good, kept[0]) and np.array_equal(bad, kept[1]), "judge must not change the answers"
    effects = meter.effects(good, bad, rows)
    if effects is not None:
        change = verdict.candidate - verdict.original
        loss = change if judged.direction == LOWER else -change
        assert effects.shape == (N,) and np.isclose(effects.mean(), loss), "effects must add up"
        assert not effects[100:].any(), "rows that did not change have no effect"


def _check_refusal(meter: QualityMeter, quantity: Quantity, rows: Rows, good: NDArray[Any]) -> None:
    assert quantity.instead, f"{quantity.name} is never proved; say what can be proved instead"
    try:
        meter.judge(good, good, rows, Constraint(quantity.name, 0.5, "points", ""), 0)
    except ValueError as error:
        assert quantity.unproved in str(error), f"{quantity.name} must say why it is never proved"
    else:
        raise AssertionError(f"{quantity.name} is never proved, and judge gave a verdict")


def _check_verdicts(meter: QualityMeter, quantity: Quantity, rows: Rows, good: NDArray[Any], bad: NDArray[Any]) -> None:
    """Against the original and by itself; and what the original reached is no part of the latter."""

    def floor(bound: float, relative: str = "points") -> Constraint:
        return Constraint(quantity.name, bound, relative, "")

    verdict = meter.judge(good, bad, rows, floor(0.001), 0)
    assert verdict.metric == quantity.name and not verdict.holds, "judge must see the harm too"
    assert meter.judge(good, good, rows, floor(0.5), 0).holds, "judge must let pass what did not change at all"
    again = meter.judge(good, bad, rows, floor(0.001), 0)
    assert verdict == again, "judge must give the same verdict for the same seed"
    reached = meter.judge(good, good, rows, floor(0.5, ""), 0).candidate
    easy, hard = (0.5, 1.5) if quantity.direction == HIGHER else (3.0, 0.5)
    kept = meter.judge(good, good, rows, floor(reached * easy or 0.5, ""), 0)
    assert kept.kind == "absolute" and kept.holds, "judge must let pass what is clearly above an absolute floor"
    missed = meter.judge(good, bad, rows, floor(min(reached * hard, 1.0) if reached else 0.001, ""), 0)
    assert not missed.holds, "judge must not let pass what is below an absolute floor"


def _check_values(values: Mapping[str, Measured], quantities: Sequence[Quantity]) -> None:
    assert sorted(values) == sorted(q.name for q in quantities), "values must be given for exactly its quantities"
    for name, measured in values.items():
        if measured.value is None:
            assert measured.note, f"{name} is unknown; the note must say why"
        else:
            assert np.isfinite(measured.value) and measured.n > 0, f"{name} needs a finite value and n"
