"""Curves: axes that hold all values, one figure for wide pages and one for narrow ones."""

from __future__ import annotations

import re

from lighten.reports.curves import Line, curve, tick


def test_a_curve_is_drawn_twice_and_nothing_without_points() -> None:
    lines = [Line([(0.0, 1.0), (1.0, 0.5), (2.0, 0.25)], "learned", lambda lang: "training"), Line([], "judged")]
    made = str(curve(lambda lang: "Loss", lines))
    assert made.count("<svg") == 2 and 'class="figure wide"' in made and 'class="figure narrow"' in made
    assert made.count('<path d="M58.0 ') == 2 and "training" in made
    assert curve(lambda lang: "Loss", [Line([(0.0, 1.0)], "learned")]) == ""
    dots = str(curve(lambda lang: "Score", [Line([(1.0, 0.5)], "judged", dots=True)], share=True))
    assert dots.count("<circle") == 2 and "50%" in dots


def test_what_stands_until_something_better_comes_is_drawn_as_stairs() -> None:
    best = Line([(1.0, 0.7), (3.0, 0.9)], "rate", stairs=True)
    made = str(curve(lambda lang: "Trials", [best], across="sweep.across", whole=True))
    assert made.count("H") == made.count("V") == 2 and "L" not in "".join(re.findall(r'd="M([^"]*)"', made))
    ticks = re.findall(r'text-anchor="middle">([^<]*)<', made)
    assert ticks == ["1", "2", "3"] * 2, "there is no half of a trial, and none before the first"


def test_small_values_are_short() -> None:
    assert [tick(value) for value in (0.0, 1e-4, 5e-5, 2.5e-6, 0.25, 1200.0)] == [
        "0", "1e-4", "5e-5", "2.5e-6", "0.25", "1200",
    ]  # fmt: skip
