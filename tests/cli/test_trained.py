"""What is printed of a training: for a person, and as one JSON object."""

from __future__ import annotations

import json

import pytest

from lighten.cli.trained import printed
from lighten.core.outcome import Constant
from lighten.core.training import Compared, ProofScore
from lighten.testing.trainings import SWEEP, result


def test_a_person_reads_what_it_is_worth_and_where_it_lies(capsys: pytest.CaptureFixture[str]) -> None:
    printed(result(), as_json=False)
    out = capsys.readouterr().out
    assert "Accuracy 81.23% on 50 rows" in out and "west" in out and "runs/t/report.html" in out


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    printed(result(), as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(result().to_json()))


def test_the_trials_of_a_search_are_printed_the_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    printed(result(sweep=SWEEP), as_json=False)
    out = capsys.readouterr().out
    listed = out[out.index("the best first") :]
    assert "best of 4 trials" in out and "stopped at 17%" in out and "default" in out
    assert listed.index("85.00%") < listed.index("80.00%") < listed.index("70.00%")


def test_no_word_is_cut_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    proof = [
        ProofScore(metric, unit, "higher", 0.8123, 5848, 0.71, 0.88, group=group)
        for metric, unit, group in (
            ("calibration_error", "fraction", ""), ("brier", "squared error", ""),
            ("accuracy", "fraction", "mood: east"),
        )
    ]  # fmt: skip
    beside = [Compared(kind, "mynets:pictures", proof[0], 31.0) for kind in ("trained", "attacked", "ensemble")]
    printed(result(proof=tuple(proof), compared=tuple(beside)), as_json=False)
    words = capsys.readouterr().out.split()
    assert {"Calibration", "squared", "mood:", "attack", "mynets:pictures", "88.00%"} <= set(words)
    assert not any("…" in word for word in words)


def test_a_path_that_is_longer_than_a_line_is_cut_and_numbers_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    one = ProofScore("accuracy", "fraction", "higher", 0.8123, 5848, 0.71, 0.88)
    printed(result(proof=(one,), compared=(Compared("teacher", f"runs/{'a' * 200}", one, 31.0),)), as_json=False)
    listed = capsys.readouterr().out
    assert listed.count("81.23%") == 3 and listed.count("88.00%") == 3 and "5,848" in listed


def test_that_it_is_no_better_than_one_answer_is_said_with_the_score(capsys: pytest.CaptureFixture[str]) -> None:
    printed(result(constant=Constant("no", "accuracy", "proof", 50, 0.8, 0.78, -0.1, 0.06, "worse")), as_json=False)
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "It is worse than always answering “no”" in said
