"""Names, numbers and reasons in both languages, as the page says them."""

from __future__ import annotations

from lighten.core.result import Candidate
from lighten.core.summary import Summary
from lighten.reports.describe import why
from lighten.reports.markup import Both
from lighten.reports.numbers import amount, change, duration, share, unit_name
from lighten.reports.standing import Standing
from lighten.reports.words import capital, quantity


def name_of(metric: str) -> Both:
    """A quantity in running text."""
    return Both(lambda lang: quantity(lang, metric))


def title_of(metric: str) -> Both:
    """A quantity as a heading."""
    return Both(lambda lang: capital(quantity(lang, metric)))


def unit_of_name(unit: str) -> Both:
    """A unit as people write it."""
    return Both(lambda lang: unit_name(lang, unit))


def roofline_of(summary: Summary, key: int, name: str) -> str | None:
    """What share of this machine's roofline a candidate reaches in a quantity; None when it is not known."""
    found = summary.roofline.get(str(key), {}).get(name)
    return None if found is None else share(found)


def value_of(value: float | None, unit: str, *, bare: bool = False) -> Both:
    """A value with its unit. bare: without it."""
    return Both(lambda lang: amount(lang, value, unit, bare=bare))


def change_of(difference: float, unit: str, toward: str = "") -> Both:
    """A signed difference."""
    return Both(lambda lang: change(lang, difference, unit, toward))


def pair_of(before: float | None, after: float | None, unit: str) -> Both:
    """Two values in the same unit with an arrow; a unit other than per cent stands once."""
    return Both(lambda lang: f"{amount(lang, before, unit, bare=True)} → {amount(lang, after, unit)}")


def time_of(seconds: float) -> Both:
    """A duration."""
    return Both(lambda lang: duration(lang, seconds))


def reason_of(summary: Summary, candidate: Candidate, place: Standing) -> Both:
    """Why a candidate won or did not."""
    return Both(lambda lang: why(summary, candidate, lang, place))
