"""Intervals: each value between its bounds, on one scale, whatever it is called."""

from __future__ import annotations

import re

from lighten.reports.intervals import Interval, intervals


def shown(value: float) -> str:
    return f"{100 * value:.4g}%"


def test_values_stand_between_their_bounds_on_one_scale() -> None:
    rows = [
        Interval(lambda lang: "<mine>", 0.8, 0.75, 0.85, strong=True),
        Interval(lambda lang: "other", 0.9, 0.88, 0.92),
        Interval(lambda lang: "unsure", 0.7),
    ]
    made = str(intervals(lambda lang: "Score", rows, shown))
    assert made.count("<svg") == 2 and "&lt;mine&gt;" in made and "80%" in made
    wide = made.split("</svg>")[0]
    dots = [float(x) for x in re.findall(r'circle cx="([\d.]+)"', wide)]
    spans = [(float(low), float(high)) for low, high in re.findall(r'd="M([\d.]+) \d+H([\d.]+)M', wide)]
    assert len(dots) == 3 and len(spans) == 2, "what nobody knows is not drawn"
    assert dots[2] < dots[0] < dots[1] and all(low < at < high for at, (low, high) in zip(dots, spans, strict=False))
    assert intervals(lambda lang: "Score", rows[:1], shown) == ""


def test_of_a_long_name_the_end_is_shown() -> None:
    rows = [Interval(lambda lang, n=n: f"runs/{'very-long-' * 20}/{n}", 0.5) for n in range(2)]
    made = str(intervals(lambda lang: "Score", rows, shown))
    names = re.findall(r'class="name"[^>]*>([^<]*)<', made)
    assert len(names) == 8 and all(name.startswith("…") and name.endswith(("/0", "/1")) for name in names)
