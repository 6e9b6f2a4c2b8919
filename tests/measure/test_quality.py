"""From answers to readings, verdicts, flips and groups."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lighten.core import catalog
from lighten.core.budget import Constraint
from lighten.core.errors import UnknownName
from lighten.core.item import Reference
from lighten.core.meter import QualityMeter
from lighten.core.rows import Rows
from lighten.measure.quality import PREVIEWS, flips_of, groups_of, judge_all, meter_of, verdict
from lighten.testing.pictures import saved_picture

LABELS = ("no", "yes")


def quality_meters() -> dict[str, QualityMeter]:
    loaded = {name: catalog.load("meters", name) for name in catalog.names("meters")}
    return {name: cls() for name, cls in loaded.items() if issubclass(cls, QualityMeter)}


def logits(classes: list[int]) -> Any:
    return np.eye(2, dtype=np.float32)[classes] * 4


def case(n: int, broke: int, fixed: int, wrong: int = 100) -> tuple[Rows, Any, Any]:
    """n rows of class 1; the original has ``wrong`` of them wrong, the first ``fixed`` of which the candidate fixes."""
    before, after = [0] * wrong + [1] * (n - wrong), [1] * fixed + [0] * (wrong - fixed) + [1] * (n - wrong)
    after[wrong : wrong + broke] = [0] * broke
    rows = Rows(tuple(f"text {i}" for i in range(n)), (1,) * n, tuple("ab"[i % 2] for i in range(n)))
    return rows, logits(before), logits(after)


def test_readings_of_every_quantity() -> None:
    rows, before, after = case(1000, 12, 8)
    found = judge_all(quality_meters(), after, rows, before)
    assert found["accuracy"].measured.value == pytest.approx(0.896)
    assert found["flips"].measured.value == pytest.approx(0.020)
    assert found["accuracy"].quantity.unit == "fraction" and found["accuracy"].ratio is None


@pytest.mark.parametrize(
    ("constraint", "state", "margin"),
    [
        (Constraint("accuracy", 0.0125, "points", ""), "holds", 0.0125),
        (Constraint("accuracy", 0.0115, "points", ""), "not_enough_data", 0.0115),
        (Constraint("accuracy", 0.87, "", ""), "holds", 0.0),  # 896 of 1,000: exactly 0.8787 or more
        (Constraint("accuracy", 0.88, "", ""), "not_enough_data", 0.0),
        (Constraint("accuracy", 0.93, "", ""), "worse", 0.0),
        (Constraint("flips", 0.04, "", ""), "holds", 0.0),
        (Constraint("flips", 0.04, "points", ""), "holds", 0.0),  # the original changes none of its own answers
        (Constraint("flips", 0.01, "", ""), "worse", 0.0),
    ],
)
def test_a_floor_is_judged_by_its_meter(constraint: Constraint, state: str, margin: float) -> None:
    rows, before, after = case(1000, 12, 8)  # golden: the lower bound is -0.0120
    judged = verdict(quality_meters(), constraint, before, after, rows, 0)
    assert (judged.metric, judged.state) == (constraint.metric, state)
    assert judged.margin == pytest.approx(margin)


@pytest.mark.parametrize(("fixed", "state"), [(60, "holds"), (30, "not_enough_data"), (0, "worse")])
def test_a_floor_above_the_original_is_a_floor_like_any_other(fixed: int, state: str) -> None:
    rows, before, after = case(1000, 0, fixed)
    judged = verdict(quality_meters(), Constraint("accuracy", 0.92, "", ""), before, after, rows, 0)
    assert (judged.state, judged.kind, judged.floor) == (state, "absolute", 0.92)
    assert judged.original == 0.9 and judged.candidate == pytest.approx(0.9 + fixed / 1000)


def test_what_the_original_happened_to_score_is_no_part_of_an_absolute_floor() -> None:
    floor = Constraint("accuracy", 0.88, "", "")
    rows, weak, after = case(1000, 0, 90, wrong=200)
    _, strong, same = case(1000, 10, 0, wrong=100)
    found = [verdict(quality_meters(), floor, before, one, rows, 0) for before, one in ((weak, after), (strong, same))]
    assert found[0].lower == found[1].lower and found[0].original < found[1].original


def test_a_share_of_the_original_is_judged_with_its_sampling() -> None:
    rng = np.random.default_rng(0)
    before = logits([1] * 900 + [0] * 100) * rng.uniform(0.2, 1.0, (1000, 1)).astype(np.float32)
    rows = case(1000, 0, 0)[0]
    judged = verdict(quality_meters(), Constraint("log_loss", 0.05, "ratio", ""), before, before * 0.99, rows, 0)
    assert judged.kind == "share" and judged.margin == pytest.approx(0.05 * judged.original)


def test_what_is_never_proved_is_refused_with_the_reason() -> None:
    rows, before, after = case(1000, 12, 8)
    with pytest.raises(ValueError, match="calibration_error is never proved"):
        verdict(quality_meters(), Constraint("calibration_error", 0.02, "points", ""), before, after, rows, 0)


def test_what_cannot_be_judged() -> None:
    rows, before, after = case(100, 1, 1, 10)
    with pytest.raises(UnknownName, match="did you mean 'accuracy'"):
        meter_of(quality_meters(), "acuracy")
    with pytest.raises(ValueError, match="no group column"):
        verdict(
            quality_meters(),
            Constraint("worst_group", 0.02, "points", ""),
            before,
            after,
            Rows(rows.inputs, rows.targets),
            0,
        )


def test_flips_and_groups() -> None:
    rows = Rows(("p", "q", "r", "s"), (1, 1, 0, 0), ("x", "x", "y", "y"))
    before, after = logits([1, 0, 0, 1]), logits([0, 1, 0, 1])
    broke, fixed = flips_of(before, after, rows, [LABELS] * len(rows))
    assert (broke.kind, broke.text, broke.label, broke.original, broke.winner, broke.group) == (
        "broke",
        "p",
        "yes",
        "yes",
        "no",
        "x",
    )
    assert (fixed.kind, fixed.text) == ("fixed", "q")
    assert [(g.name, g.n, g.original, g.winner) for g in groups_of(before, after, rows)] == [
        ("x", 2, 0.5, 0.5),
        ("y", 2, 0.5, 0.5),
    ]
    assert groups_of(before, after, Rows(rows.inputs, rows.targets)) == ()


def test_changed_answers_to_pictures_are_shown_as_pictures(tmp_path: Path) -> None:
    items = tuple(saved_picture(tmp_path / "shoes" / f"{at}.png", at) for at in range(3))
    gone = Reference(str(tmp_path / "gone.png"), "0" * 32, "image", 4)
    rows = Rows((*items, gone, "a text"), (1, 0, 1, 1, 1))
    flips = flips_of(logits([1, 1, 1, 1, 1]), logits([0, 0, 1, 0, 0]), rows, [LABELS] * len(rows))
    assert [(flip.text, flip.kind) for flip in flips] == [
        ("shoes/0.png", "broke"),
        (f"{tmp_path.name}/gone.png", "broke"),
        ("a text", "broke"),
        ("shoes/1.png", "fixed"),
    ]
    assert [flip.preview[:22] for flip in flips] == ["data:image/png;base64,", "", "", "data:image/png;base64,"]


def test_pictures_of_many_changed_answers_do_not_fill_the_page(tmp_path: Path) -> None:
    item, count = saved_picture(tmp_path / "a.png", 0), PREVIEWS + 5
    rows = Rows((item,) * 2 * count, (1,) * count + (0,) * count)
    flips = flips_of(logits([1] * 2 * count), logits([0] * 2 * count), rows, [LABELS] * len(rows))
    assert len(flips) == 2 * count
    assert sum(bool(flip.preview) for flip in flips) == 2 * PREVIEWS
