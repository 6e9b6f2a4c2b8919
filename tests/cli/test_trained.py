"""What is printed of a training: for a person, and as one JSON object."""

from __future__ import annotations

import json

import pytest

from lighten.cli.trained import printed
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
