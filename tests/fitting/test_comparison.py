"""The comparison of a trained model with its teachers; what it is made of is in test_teachers.py."""

from __future__ import annotations

from lighten.fitting.comparison import ATTACKED, BEFORE, BEFORE_ATTACKED, ENSEMBLE, TEACHER, TRAINED
from lighten.reports.words import WORDS


def test_every_kind_has_a_name_in_both_languages() -> None:
    for kind in (TRAINED, TEACHER, ENSEMBLE, BEFORE, ATTACKED, BEFORE_ATTACKED):
        assert len(WORDS[f"compared.{kind}"]) == 2
