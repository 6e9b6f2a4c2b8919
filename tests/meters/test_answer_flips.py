"""Answer flips by hand."""

import numpy as np

from lighten.core.language_codes import answer_code
from lighten.core.result import Measured
from lighten.core.rows import Rows
from lighten.meters.answer_flips import AnswerFlips
from lighten.testing.answers import sure, within

METER = AnswerFlips()


def codes(*texts: str) -> np.ndarray:
    return np.array([[answer_code(text)] for text in texts])


def rows(n: int, units: tuple[str, ...] = ()) -> Rows:
    return Rows(tuple(map(str, range(n))), (0,) * n, units=units)


def test_another_answer_counts_and_another_spelling_does_not() -> None:
    before, after = codes("Paris", "42", "no", "yes"), codes("paris.", "43", "No", "maybe")
    assert METER.measure(after, rows(4), before)["answer_flips"] == Measured(0.5, 4)
    assert METER.effects(before, after, rows(4)).tolist() == [0.0, 1.0, 0.0, 1.0]
    assert METER.measure(before, rows(4), before)["answer_flips"].value == 0.0


def test_without_the_original_or_without_answers_it_is_unknown() -> None:
    found = METER.measure(codes("a"), rows(1), None)["answer_flips"]
    assert found.value is None and "original" in found.note
    assert METER.measure(sure([0, 1]), rows(2), sure([1, 1]))["answer_flips"].value is None


def test_the_verdict_is_about_the_share_of_changed_answers() -> None:
    before = codes(*(f"answer {i}" for i in range(600)))
    after = np.concatenate([codes(*["another"] * 12), before[12:]])
    alone = METER.judge(before, after, rows(600), within("answer_flips", 0.04), 0)
    assert alone.holds and alone.candidate == 0.02
    assert METER.judge(before, after, rows(600), within("answer_flips", 0.005), 0).state == "worse"
    together = METER.judge(
        before, after, rows(600, tuple(f"document {i // 12}" for i in range(600))), within("answer_flips", 0.04), 0
    )
    assert together.units == 50 and together.lower < alone.lower
