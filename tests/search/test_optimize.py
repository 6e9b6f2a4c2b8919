"""A search from the first measurement to the summary, with what can happen at its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lighten.core.summary import Summary
from lighten.models.recognize import recognize
from lighten.reports.describe import findings
from lighten.search.optimize import borrowed
from lighten.testing.stage import Act, Stage, act_of
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_gguf

Make = Callable[..., Stage]
ORIGINAL = Act(100.0)


def won(summary: Summary) -> int | None:
    """The part that the winner plays."""
    found = summary.candidate(summary.winner.key) if summary.winner is not None else None
    return act_of(found) if found is not None else None


def proved_in_order(summary: Summary) -> list[int]:
    """The parts that were put to the proof, in order."""
    every = {c.key: c for c in summary.candidates}
    return [act_of(every[test.key]) for test in summary.tested]


def said(summary: Summary) -> str:
    """What the run says first."""
    return findings(summary, "en")[0].replace("\u00a0", " ")


def test_a_disturbed_minute_does_not_choose_the_winner(stage: Make) -> None:
    """Act 1 was measured at 50 times cheaper beside an original that starved; it is twice, and two others are more."""
    disturbed = Act({"search": 2.0, "proof": 50.0, "report": 50.0})
    summary = stage(ORIGINAL, disturbed, Act(20.0, wrong=0.008), Act(10.0, wrong=0.012)).play()
    assert summary.state == "winner"
    assert won(summary) == 3
    assert {2, 3} <= set(proved_in_order(summary))
    assert summary.winner is not None
    assert summary.winner.ratio["toll"] == pytest.approx(10.0)
    assert summary.cheaper is None


def test_a_last_measurement_that_contradicts_the_order_lets_the_proof_go_on(stage: Make) -> None:
    """Act 2 was left out for what it cost; in the end it is the cheaper one, and is proved."""
    dear_at_last = Act({"search": 10.0, "proof": 10.0, "report": 50.0})
    made = stage(ORIGINAL, dear_at_last, Act(20.0, wrong=0.005))
    summary = made.play()
    assert proved_in_order(summary) == [1, 2]
    assert won(summary) == 2


def test_what_seemed_too_dear_and_is_cheap_in_the_last_measurement_is_proved(stage: Make) -> None:
    """Beside a shadow of the search, the only candidate seemed to cost more than the original: the end shows else."""
    late = Act({"search": 120.0, "proof": 50.0, "report": 50.0})
    summary = stage(ORIGINAL, late).play()
    assert summary.state == "winner"
    assert proved_in_order(summary) == [1] and won(summary) == 1
    assert summary.winner is not None and summary.winner.ratio["toll"] == pytest.approx(2.0)


def test_where_the_time_is_over_it_is_said_that_the_last_measurement_contradicts(stage: Make) -> None:
    dear_at_last = Act({"search": 10.0, "proof": 10.0, "report": 50.0})
    made = stage(ORIGINAL, dear_at_last, Act(20.0, wrong=0.005))
    made.until = "proof 1"
    with pytest.raises(KeyboardInterrupt):
        made.play()
    made.until = ""
    summary = made.play(seconds=1.0)  # taken up when its time was over
    assert won(summary) == 1
    assert proved_in_order(summary) == [1]
    assert summary.cheaper == 2
    assert "was measured cheaper still (20.0 MB, the winner 50 MB)" in said(summary)


def test_a_ceiling_missed_at_the_end_is_no_win_and_the_next_that_holds_takes_its_place(stage: Make) -> None:
    over_at_last = Act({"search": 4.0, "proof": 4.0, "report": 9.0})
    summary = stage(ORIGINAL, over_at_last, Act(4.5, wrong=0.005)).play(under=["toll<=5MB"])
    assert summary.state == "winner"
    assert won(summary) == 2
    assert [bound.state for bound in summary.ceilings] == ["met"]


def test_where_all_that_holds_misses_a_ceiling_the_run_says_so_and_can_be_taken_up_with_another(stage: Make) -> None:
    made = stage(ORIGINAL, Act({"search": 4.0, "proof": 4.0, "report": 5.6}, spread=0.2))
    summary = made.play(under=["toll<=5MB"])
    assert summary.state == "missed"
    assert summary.winner is None
    assert not (made.folder / "run" / "winner").exists()
    assert summary.nearest is not None
    assert summary.nearest.proved
    (over,) = summary.nearest.missed
    assert (over.value, over.limit, over.spread, over.state) == (5.6, 5.0, 0.2, "missed")
    assert "--under 'toll<=5.8MB'" in summary.nearest.command
    assert summary.nearest.command.endswith("--resume")
    again = made.play(under=["toll<=5.8MB"])
    assert again.state == "winner"
    assert won(again) == 1
    assert (made.folder / "run" / "winner" / "lighten.json").is_file()
    assert made.heard.count("proof 1") == 2  # named again, but answered once
    assert [t.verdicts for t in again.tested] == [t.verdicts for t in summary.tested]


def test_within_the_spread_of_the_measurement_it_wins_and_the_report_says_so(stage: Make) -> None:
    summary = stage(ORIGINAL, Act({"search": 4.9, "proof": 4.9, "report": 5.1}, spread=0.3)).play(under=["toll<=5MB"])
    assert won(summary) == 1
    (close,) = summary.ceilings
    assert close.state == "close"
    assert "5.10 MB measured, ±0.30 MB; you asked for 5 MB" in " ".join(findings(summary, "en")).replace("\u00a0", " ")


def test_a_near_miss_is_worked_on_with_settings_that_lessen_what_is_missed(stage: Make) -> None:
    summary = stage(ORIGINAL, Act(5.4)).play(under=["toll<=5MB"])
    assert summary.state == "winner"
    assert summary.winner is not None
    best = summary.candidate(summary.winner.key)
    assert best is not None
    assert best.engine_settings["thrift"] == 3
    assert best.value("toll") == pytest.approx(5.4 * 0.7)


def test_what_nothing_meets_is_said_in_numbers(stage: Make) -> None:
    made = stage(ORIGINAL, Act(50.0))
    summary = made.play(under=["toll<=1MB"])
    assert summary.state == "nothing_met"
    assert summary.nearest is not None
    assert "toll 50.0 MB where you allow 1 MB" in said(summary)
    assert proved_in_order(summary) == []


def test_an_original_that_fails_in_the_proof_ends_the_run_with_what_there_is(stage: Make) -> None:
    made = stage(Act(100.0, fault="raise"), Act(10.0))
    summary = made.play()
    assert summary.state == "unproved"
    assert "the fake raised" in summary.reason
    assert summary.winner is None
    assert [c.state for c in summary.candidates][:2] == ["ok", "ok"]
    assert (made.folder / "run" / "summary.json").is_file()


def test_a_candidate_that_fails_in_the_proof_is_left_out_of_the_order(stage: Make) -> None:
    summary = stage(ORIGINAL, Act(20.0, fault="segv"), Act(10.0, wrong=0.012)).play()
    assert won(summary) == 2
    assert proved_in_order(summary) == [2]
    assert any("was left out of the proof: it failed there: SessionCrashed" in note for note in summary.data.notes)


def test_the_first_that_does_not_hold_ends_the_proof(stage: Make) -> None:
    refuted = Act(20.0, wrong={"select": 0.0, "proof": 0.2})
    summary = stage(ORIGINAL, refuted, Act(10.0, wrong=0.012)).play()
    assert summary.state == "nothing_met"
    assert proved_in_order(summary) == [1]
    assert summary.verdicts[0]["state"] == "worse"
    assert "but not in the proof" in findings(summary, "en")[0]


def test_killed_between_the_opening_and_the_answers_it_goes_on_in_the_same_order(stage: Make) -> None:
    acts = ORIGINAL, Act(20.0), Act(10.0, wrong=0.012)
    made = stage(*acts)
    made.until = "proof 1"
    with pytest.raises(KeyboardInterrupt):
        made.play()
    with made.open() as run:
        order = run.folder.study.recall("proof opened")
        assert run.folder.study.answers(1, "proof") is None
        assert run.folder.study.answers(0, "proof") is not None
    made.until = ""
    before = len(made.heard)
    summary = made.play()
    assert [test.key for test in summary.tested] == order
    assert made.heard[before:] == [f"proof {key}" for key in order]  # nothing is searched again
    with made.open() as run:
        assert run.folder.study.recall("proof opened") == order


def test_a_file_that_is_only_looked_at_is_not_copied(tmp_path: Path, in_this_process: None) -> None:
    gguf = tiny_gguf("llama", tmp_path / "gguf").path / "model.gguf"
    lent = borrowed(recognize(gguf), tmp_path / "lent")
    assert lent is not None and (lent.path / "model.gguf").is_symlink() and lent.size == gguf.stat().st_size
    folder = tiny_network_folder(tmp_path / "net", layers=1)
    assert borrowed(recognize(folder), tmp_path / "copy") is None and not (tmp_path / "copy").exists()
