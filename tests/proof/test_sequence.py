"""Fixed-sequence testing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lighten.proof.sequence import fixed_sequence
from lighten.proof.verdict import Verdict, judge_counts

GOOD, BAD, UNSURE = (judge_counts(0, b, 0, n, 0.01) for b, n in ((0, 1000), (100, 1000), (0, 10)))


def giving(*verdicts: Verdict) -> Callable[[], list[Verdict]]:
    return lambda: list(verdicts)


def never() -> list[Verdict]:
    raise AssertionError("the proof part was opened after the sequence had ended")


@pytest.mark.parametrize("failing", [BAD, UNSURE])
def test_the_first_that_does_not_hold_ends_it(failing: Verdict) -> None:
    result = fixed_sequence(
        [("safe", giving(GOOD)), ("mid", giving(GOOD)), ("cheap", giving(failing)), ("tiny", never)]
    )
    assert [one.key for one in result.tested] == ["safe", "mid", "cheap"]
    assert result.held == ("safe", "mid")
    assert result.last_held == "mid"


def test_every_gate_must_hold() -> None:
    result = fixed_sequence([(1, giving(GOOD, GOOD)), (2, giving(GOOD, UNSURE)), (3, never)])
    assert result.last_held == 1
    assert result.tested[1].verdicts == (GOOD, UNSURE)


def test_all_hold() -> None:
    assert fixed_sequence([(k, giving(GOOD)) for k in range(4)]).last_held == 3


def test_none_holds() -> None:
    result = fixed_sequence([("safe", giving(BAD)), ("cheap", never)])
    assert (result.last_held, result.held) == (None, ())


def test_nothing_to_test() -> None:
    assert fixed_sequence([]).last_held is None


def test_a_candidate_without_gates_is_refused() -> None:
    with pytest.raises(ValueError, match="without a gate"):
        fixed_sequence([("safe", giving())])


def test_a_second_try_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        fixed_sequence([("safe", giving(GOOD)), ("safe", giving(GOOD))])
