"""What is learned beside labels; the rest of it is in test_teachers.py and tests/verbs/test_train.py."""

from __future__ import annotations

from lighten.fitting import lessons, reading
from lighten.nets.training import lesson


def test_its_files_are_none_of_the_data() -> None:
    assert lesson.FILE != reading.PARTS and 0 < lessons.LABELS < 1
