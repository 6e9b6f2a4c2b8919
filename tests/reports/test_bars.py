"""Bars: one for each name, as long as its share."""

from __future__ import annotations

import re

from lighten.reports.bars import bars


def test_the_largest_share_is_the_longest_bar() -> None:
    made = str(bars(lambda lang: "What <matters>", [(lambda lang: "rate", 0.75), (lambda lang: "decay", 0.25)]))
    assert made.count("<svg") == 2 and "75%" in made and "What &lt;matters&gt;" in made
    long = [float(width) for width in re.findall(r'class="portion"[^>]* width="([\d.]+)"', made)]
    assert len(long) == 4 and all(abs(a / b - 3.0) < 0.05 for a, b in (long[:2], long[2:]))
    assert bars(lambda lang: "Nothing", []) == ""
