"""An exported folder agrees with its model, or what differs is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from lighten.core.errors import BuildFailed
from lighten.testing.fake import fake_artifact
from lighten.verbs.agreement import check_copied, difference, spread

SURE = {"label": "a", "scores": {"a": 0.9, "b": 0.1}}


def scores(a: float) -> dict[str, object]:
    return {"label": "a" if a >= 0.5 else "b", "scores": {"a": a, "b": 1 - a}}


def test_probabilities_that_are_close_agree_and_their_distance_is_told() -> None:
    assert difference("x", SURE, SURE) == 0.0
    assert difference("x", SURE, scores(0.895)) == pytest.approx(0.005)
    assert difference("x", scores(0.501), scores(0.499)) == pytest.approx(0.002), "as likely as one another"


@pytest.mark.parametrize(
    "found",
    [
        scores(0.85),
        scores(0.1),
        {"label": "a", "scores": {"b": 0.1, "a": 0.9}},
        {"label": "a", "scores": {"a": float("nan"), "b": 0.1}},
    ],
)
def test_other_probabilities_and_other_classes_do_not(found: dict[str, object]) -> None:
    with pytest.raises(BuildFailed, match="answers differently"):
        difference("a text", SURE, found)


def test_texts_are_the_same_or_they_are_not() -> None:
    assert difference("x", {"answer": "b c"}, {"answer": "b c"}) is None
    with pytest.raises(BuildFailed, match="'b d'"):
        difference("x", {"answer": "b c"}, {"answer": "b d"})


def test_rows_are_spread_evenly() -> None:
    assert spread("abcdefgh", 4) == ["a", "c", "e", "g"]  # type: ignore[arg-type]
    assert spread("ab", 4) == ["a", "b"]  # type: ignore[arg-type]


def test_files_that_changed_on_the_way_are_seen(tmp_path: Path) -> None:
    artifact = fake_artifact(tmp_path / "m")
    check_copied(artifact, tmp_path)
    name = next(iter(artifact.files))
    (artifact.path / name).write_text("other")
    with pytest.raises(BuildFailed, match="does not hold"):
        check_copied(artifact, tmp_path)
