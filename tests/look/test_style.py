"""Style sheets that pages share: every colour that they name is there, light and dark, and can be read."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product

import pytest

from lighten.look.style import colours, page_parts
from lighten.reports.figure import stylesheet

LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in colours().split("@media"))


def luminance(colour: str) -> float:
    """Relative luminance. Source: WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(theme: dict[str, str]) -> None:
    for text, behind in product(("ink", "soft", "win", "stock", "bad", "good"), ("paper", "wash")):
        assert contrast(theme[text], theme[behind]) >= 4.5, (text, behind)


def test_every_colour_that_is_named_is_there_by_day_and_by_night() -> None:
    own = files("lighten.serve").joinpath("page", "page.css").read_text(encoding="utf-8")
    report = files("lighten.reports").joinpath("page.css").read_text(encoding="utf-8")
    named = set(re.findall(r"var\(--([\w-]+)\)", stylesheet() + page_parts() + report + own))
    assert named <= set(LIGHT) and set(LIGHT) == set(DARK)
