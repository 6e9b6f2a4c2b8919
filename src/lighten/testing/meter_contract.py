"""Contract that every meter of the catalog keeps, lighten's own and a plug-in's: see :func:`check_meter`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from lighten.core import catalog
from lighten.core.meter import QualityMeter, SpeedMeter, Workload
from lighten.core.result import HIGHER, LOWER, Measured, Quantity
from lighten.core.task import Rows
from lighten.testing.sessions import RecordingSession


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
    session = RecordingSession()
    meter.turn(session, work, -1)
    turns = []
    for number in range(max(meter.turns, 2)):
        turn = meter.turn(session, work, number)
        assert json.loads(json.dumps(turn)) == dict(turn), "a turn must consist of plain JSON values"
        turns.append(turn)
    for some in (turns, turns[:1]):  # one turn alone must do: ratios are taken turn by turn
        _check_values(meter.reduce(some), meter.quantities)


def _check_quality(meter: QualityMeter) -> None:
    rng = np.random.default_rng(0)
    n, classes = 300, 3
    targets = rng.integers(0, classes, n)
    rows = Rows(tuple(f"row {i}" for i in range(n)), tuple(targets.tolist()), tuple("ab"[i % 2] for i in range(n)))
    good = rng.normal(size=(n, classes)).astype(np.float32)
    good[np.arange(n), targets] += 3.0
    bad = good.copy()
    bad[:100] = -bad[:100]
    kept = good.copy(), bad.copy()
    first, second = meter.measure(good, rows, good), meter.measure(bad, rows, good)
    _check_values(first, meter.quantities)
    _check_values(second, meter.quantities)
    order = rng.permutation(n)
    shuffled = meter.measure(bad[order], rows.take(order.tolist()), good[order])
    verdict = meter.judge(good, bad, rows, 0.001, 0)
    assert np.array_equal(good, kept[0]) and np.array_equal(bad, kept[1]), "a meter must not change the answers"
    for quantity in meter.quantities:
        before, after = first[quantity.name].value, second[quantity.name].value
        again = shuffled[quantity.name].value
        assert before is not None and after is not None and again is not None, f"{quantity.name} must be known here"
        worse = after < before if quantity.direction == HIGHER else after > before
        assert worse, f"{quantity.name} does not see that a third of the answers broke"
        assert np.isclose(after, again), f"{quantity.name} depends on the order of the rows"
    assert verdict.metric in [q.name for q in meter.quantities] and not verdict.holds, "judge must see the harm too"
    assert meter.judge(good, good, rows, 0.5, 0).holds, "judge must let pass what did not change at all"
    value = second[verdict.metric].value
    assert value is not None and np.isclose(verdict.candidate, value), "judge and measure must agree on the value"
    assert verdict == meter.judge(good, bad, rows, 0.001, 0), "judge must give the same verdict for the same seed"


def _check_values(values: Mapping[str, Measured], quantities: Sequence[Quantity]) -> None:
    assert sorted(values) == sorted(q.name for q in quantities), "values must be given for exactly its quantities"
    for name, measured in values.items():
        if measured.value is None:
            assert measured.note, f"{name} is unknown; the note must say why"
        else:
            assert np.isfinite(measured.value) and measured.n > 0, f"{name} needs a finite value and n"
