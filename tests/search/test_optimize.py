"""A search from the first measurement to the summary, with what can happen at its end."""

from __future__ import annotations

from collections.abc import Callable

from lighten.core.summary import Summary
from lighten.testing.stage import Act, Stage, act_of

Make = Callable[..., Stage]
ORIGINAL = Act(100.0)


def won(summary: Summary) -> int | None:
    """The part that the winner plays."""
    found = summary.candidate(summary.winner.key) if summary.winner is not None else None
    return act_of(found) if found is not None else None


def test_a_disturbed_minute_does_not_choose_the_winner(stage: Make) -> None:
    """Act 1 was measured at 50 times cheaper beside an original that starved; it is twice, and two others are more."""
    disturbed = Act({"search": 2.0, "proof": 50.0, "report": 50.0})
    summary = stage(ORIGINAL, disturbed, Act(20.0, wrong=0.008), Act(10.0, wrong=0.012), Act(70.0)).play()
    assert summary.state == "winner"
    assert won(summary) == 3
    assert {2, 3} <= {act_of(c) for t in summary.tested if (c := summary.candidate(t.key))}
