"""A folder's own program is asked where lighten is not, and what goes wrong there is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import BuildFailed
from lighten.isolate.plain import plain_answers

UPPER = 'print("a library says hello")\ndef answer(value):\n    return {"answer": value.upper()}'


def asked(folder: Path, code: str, *values: str, deadline: float = 30.0) -> list[object]:
    return [one["answer"] for one in plain_answers(folder, code, values, threads=1, deadline=deadline)]


def test_every_value_is_answered_in_order_whatever_is_printed(tmp_path: Path) -> None:
    assert asked(tmp_path, UPPER, "a", "b\nc", "映画 \u2028 x") == ["A", "B\nC", "映画 \u2028 X"]


def test_it_runs_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text('answer = lambda value: {"answer": value + "!"}')
    assert asked(tmp_path, 'import runpy\nanswer = runpy.run_path("run.py")["answer"]', "a") == ["a!"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import lighten\ndef answer(value): return {}", "does not stand alone"),
        ("def answer(value): raise ValueError('no such thing')", "no such thing"),
        ("import os; os._exit(7)", "ended with 7"),
    ],
)
def test_what_goes_wrong_is_said(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=words):
        plain_answers(tmp_path, code, ["x"], threads=1, deadline=30.0)


def test_it_is_not_waited_for_forever(tmp_path: Path) -> None:
    code = "import time\ndef answer(value): time.sleep(60)"
    with pytest.raises(BuildFailed, match=r"within 0\.5 seconds"):
        plain_answers(tmp_path, code, ["x"], threads=1, deadline=0.5)
