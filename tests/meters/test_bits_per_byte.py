"""Bits per byte by hand; what each document adds to a change."""

from math import log

import numpy as np
import pytest

from lighten.core.language_codes import BYTES, NATS, PROBED, PROBES, TOKENS, UNKNOWN
from lighten.core.result import Measured
from lighten.core.rows import Rows
from lighten.meters.bits_per_byte import BitsPerByte
from lighten.testing.answers import sure, within

METER = BitsPerByte()


def documents(bits: list[float], size: list[float]) -> np.ndarray:
    """Answers to documents that cost so many bits and have so many bytes."""
    found = np.full((len(bits), PROBED + PROBES), UNKNOWN)
    found[:, NATS], found[:, BYTES], found[:, TOKENS] = np.array(bits) * log(2), size, 3
    return found


def rows(n: int, units: tuple[str, ...] = ()) -> Rows:
    return Rows(tuple(map(str, range(n))), (0,) * n, units=units)


def test_all_bits_over_all_bytes() -> None:
    found = METER.measure(documents([8.0, 3.0], [10, 1]), rows(2), None)["bits_per_byte"]
    assert found.value == pytest.approx(1.0) and found.n == 2  # the mean of the documents' own would be 1.9


def test_answers_to_something_else_are_unknown_and_not_judged() -> None:
    found = METER.measure(sure([0, 1]), rows(2), None)["bits_per_byte"]
    assert found == Measured(None, 0, note="unknown: these are no answers to documents")
    with pytest.raises(ValueError, match="columns"):
        METER.judge(sure([0, 1]), sure([0, 1]), rows(2), within("bits_per_byte", 0.1), 0)


def test_what_each_document_adds() -> None:
    before, after = documents([8, 8, 4], [10, 10, 10]), documents([8, 11, 1], [10, 10, 10])
    assert METER.effects(before, after, rows(3)) == pytest.approx([0.0, 0.3, -0.3])
    # The second tokenizer scores one byte less of the first document: what the original pays for a byte is taken off.
    before, after = documents([10, 10], [10, 10]), documents([9, 12], [9, 10])
    assert METER.effects(before, after, rows(2)) == pytest.approx([0.0, 2 / 9.5])


def test_the_effects_add_up_to_the_change_of_any_two_models() -> None:
    rng = np.random.default_rng(0)
    before = documents(rng.uniform(50, 300, 40).tolist(), rng.integers(90, 400, 40).tolist())
    after = documents(rng.uniform(50, 300, 40).tolist(), rng.integers(90, 400, 40).tolist())
    old, new = (METER.measure(one, rows(40), None)["bits_per_byte"].value for one in (before, after))
    assert METER.effects(before, after, rows(40)).mean() == pytest.approx(new - old)


def drawn(n: int, worse: float) -> tuple[np.ndarray, np.ndarray]:
    """n documents of about a bit per byte, and a model that needs ``worse`` times the bits, more or less."""
    rng = np.random.default_rng(1)
    size = rng.integers(300, 900, n)
    bits = size * rng.normal(1.0, 0.1, n)
    return documents(bits.tolist(), size.tolist()), documents(
        (bits * rng.normal(worse, 0.01, n)).tolist(), size.tolist()
    )


@pytest.mark.parametrize(("worse", "state"), [(1.005, "holds"), (1.02, "worse"), (1.0099, "not_enough_data")])
def test_a_percent_is_told_from_two_on_two_hundred_documents(worse: float, state: str) -> None:
    before, after = drawn(200, worse)
    value = METER.measure(before, rows(200), None)["bits_per_byte"].value
    judged = METER.judge(before, after, rows(200), within("bits_per_byte", 0.01 * value), 0)
    assert (judged.state, judged.direction) == (state, "lower")
    assert judged.difference == pytest.approx(-METER.effects(before, after, rows(200)).mean())


def test_documents_of_one_author_prove_less() -> None:
    before, after = drawn(200, 1.005)
    after[:5, NATS] *= 1.3
    alone = METER.judge(before, after, rows(200), within("bits_per_byte", 0.05), 0)
    together = METER.judge(
        before, after, rows(200, tuple(f"author {i // 5}" for i in range(200))), within("bits_per_byte", 0.05), 0
    )
    assert (alone.units, together.units) == (200, 40) and together.lower < alone.lower


def test_the_same_answers_hold_at_any_margin_and_few_changed_ones_only_as_far_as_they_changed() -> None:
    before, _ = drawn(60, 1.0)
    assert METER.judge(before, before.copy(), rows(60), within("bits_per_byte", 1e-6), 0).holds
    after = before.copy()
    after[0, NATS] += 0.6 * log(2)  # 0.001 bits per byte of an average document
    judged = METER.judge(before, after, rows(60), within("bits_per_byte", 0.001), 0)
    assert judged.holds and judged.lower < -0.6 / before[:, BYTES].sum()
    after[0, NATS] += 600 * log(2)
    assert not METER.judge(before, after, rows(60), within("bits_per_byte", 0.02), 0).holds
