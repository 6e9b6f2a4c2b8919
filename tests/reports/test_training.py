"""The report of a training: in both languages, with its curves, and nothing in the user's texts can run."""

from __future__ import annotations

import json
import re

import pytest

from lighten.core.outcome import Constant
from lighten.core.training import ProofScore, TrainingResult
from lighten.reports.training import headline, how, sureness, training_page
from lighten.testing.trainings import result


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_was_found_is_said(lang: str) -> None:
    assert "81.23%" in headline(result(), lang) and "50" in headline(result(), lang)
    assert "71.00%" in sureness(result(), lang) and "88.00%" in sureness(result(), lang)
    assert "bf16" in how(result(), lang)
    assert sureness(result(proof=(ProofScore("accuracy", "fraction", "higher", 0.8, 50),)), lang) == ""


def test_the_page_has_curves_scores_and_cost_and_is_safe() -> None:
    page = training_page(result())
    assert page.count("<svg") == 6 and "By group" in page and "按分组" in page
    assert "46%" in page and "1 min 15 s" in page.replace("\u00a0", " ") and "40 rows/s" in page
    assert "<b>net" not in page and "<script>&" not in page and "&lt;script&gt;" in page
    assert "It ended before" not in page and "It ended before" in training_page(result(stopped=4))
    writing = training_page(result(shares=False))
    assert writing.count("<svg") == 4  # a score that is minus the loss is not drawn twice


@pytest.mark.parametrize("state", ["worse", "not_enough_data"])
def test_that_it_is_no_better_than_one_answer_stands_above_everything_else(state: str) -> None:
    constant = Constant("<no>", "accuracy", "proof", 50, 0.8, 0.78, -0.1, 0.06, state)
    page = training_page(result(constant=constant))
    alarms = re.findall(r'<p lang="(?:en|zh)" class="alarm">(.*?)</p>', page)
    assert len(alarms) == 2 and all("&lt;no&gt;" in one and "78.00%" in one and "80.00%" in one for one in alarms)
    assert page.index('class="alarm"') < page.index('class="tiles"')
    assert 'class="alarm"' not in training_page(result())
    assert TrainingResult.from_json(json.loads(json.dumps(result(constant=constant).to_json()))).constant == constant
