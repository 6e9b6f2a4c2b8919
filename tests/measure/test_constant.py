"""An original that is no better than one answer for everything is told from one that is."""

from __future__ import annotations

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.language_codes import answer_code
from lighten.core.outcome import Constant
from lighten.core.rows import Rows
from lighten.measure.constant import weigh_against_constant
from lighten.search.start import meters

LABELS = ("negative", "positive")


def rows(n: int, positive: float, units: int = 0) -> Rows:
    targets = tuple(int(i < positive * n) for i in range(n))
    own = tuple(f"u{i % units}" for i in range(n)) if units else ()
    return Rows(tuple(map(str, range(n))), targets, units=own)


def weighed(data: Rows, right: float, learned: Rows | None = None) -> Constant | None:
    """What is found of a classifier that is right on this share of every class."""
    wrong = np.arange(len(data)) % 20 >= round(20 * right)
    said = np.where(wrong, 1 - np.asarray(data.targets), data.targets)
    task = catalog.load("tasks", "text_classification")()
    quality, _ = meters(task)
    known = learned or data
    return weigh_against_constant(task, quality, np.eye(2)[said], data, LABELS, learned=known, part="select", seed=0)


def test_a_model_that_is_better_raises_nothing() -> None:
    assert weighed(rows(400, 0.5), 0.9) is None
    assert weighed(rows(400, 0.9), 1.0) is None


def test_inverted_labels_are_worse_than_a_constant() -> None:
    found = weighed(rows(400, 0.5), 0.1)
    assert found is not None and (found.state, found.metric, found.n) == ("worse", "accuracy", 400)
    assert (found.original, found.share) == (pytest.approx(0.1), pytest.approx(0.5))
    assert found.lower < found.upper < 0


def test_a_model_of_a_rare_class_has_to_beat_the_common_one() -> None:
    found = weighed(rows(400, 0.9), 0.9)
    assert found is not None and found.state == "not_enough_data" and found.answer == "positive"
    assert found.share == pytest.approx(0.9) and found.lower < 0 < found.upper


def test_what_is_frequent_is_learned_elsewhere_and_units_count_not_rows() -> None:
    other = weighed(rows(400, 0.5), 0.9, learned=rows(100, 0.2))
    assert other is None
    found = weighed(rows(400, 0.4), 0.35, learned=rows(100, 0.2))
    assert found is not None and found.answer == "negative"
    assert weighed(rows(40, 0.5, units=2), 0.9) is not None, "two units show nothing"


def test_choices_answers_and_documents() -> None:
    kind = catalog.load("tasks", "text_generation")
    choices = kind(evidence="choices", choices=(" no", " yes"))
    data, (quality, _) = rows(200, 0.8), meters(choices)
    guess = np.tile([[0.1, 0.9]], (200, 1))
    found = weigh_against_constant(choices, quality, guess, data, ("no", "yes"), learned=data, part="data", seed=0)
    assert found is not None and found.answer == "yes" and found.original == found.share == pytest.approx(0.8)
    answers = kind(evidence="answers")
    asked = Rows(data.inputs, (0,) * 200, references=("Paris",) * 150 + ("Rome",) * 50)
    codes = np.full((200, 1), answer_code("paris."))
    quality, _ = meters(answers)
    found = weigh_against_constant(answers, quality, codes, asked, (), learned=asked, part="data", seed=0)
    assert found is not None and (found.answer, found.metric) == ("Paris", "exact_match")
    documents = kind()
    nothing = weigh_against_constant(
        documents, meters(documents)[0], np.zeros((200, 3)), data, (), learned=data, part="select", seed=0
    )
    assert nothing is None, "a document is more or less likely, not right or wrong"
