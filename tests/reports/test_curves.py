"""Curves: axes that hold all values, one figure for wide pages and one for narrow ones."""

from __future__ import annotations

from lighten.reports.curves import Line, curve


def test_a_curve_is_drawn_twice_and_nothing_without_points() -> None:
    lines = [Line([(0.0, 1.0), (1.0, 0.5), (2.0, 0.25)], "learned", lambda lang: "training"), Line([], "judged")]
    made = str(curve(lambda lang: "Loss", lines))
    assert made.count("<svg") == 2 and 'class="figure wide"' in made and 'class="figure narrow"' in made
    assert made.count('<path d="M58.0 ') == 2 and "training" in made
    assert curve(lambda lang: "Loss", [Line([(0.0, 1.0)], "learned")]) == ""
    dots = str(curve(lambda lang: "Score", [Line([(1.0, 0.5)], "judged", dots=True)], share=True))
    assert dots.count("<circle") == 2 and "50%" in dots
