"""Names, numbers and reasons as markup, in both languages; and the table they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from lighten.core.result import Candidate, Result
from lighten.core.summary import Summary
from lighten.reports.describe import why
from lighten.reports.markup import both, said
from lighten.reports.numbers import amount, change, duration, share, unit_name
from lighten.reports.standing import Standing
from lighten.reports.words import capital, quantity


def name_of(metric: str) -> str:
    """A quantity in running text."""
    return both(lambda lang: quantity(lang, metric))


def title_of(metric: str) -> str:
    """A quantity as a heading."""
    return both(lambda lang: capital(quantity(lang, metric)))


def heading_of(metric: str, unit: str) -> str:
    """A quantity as the heading of a column, with the unit that its cells leave out."""
    known = "" if unit in ("", "fraction") else f'<span class="unit">{both(lambda lang: unit_name(lang, unit))}</span>'
    return f"{title_of(metric)} {known}".strip()


def result_of(result: Result, unit: str) -> str:
    """A value under a heading that names ``unit``; where its own is another, that stands below it."""
    value = both(lambda lang: amount(lang, result.value, result.unit, bare=True))
    own = both(lambda lang: unit_name(lang, result.unit))
    return value if result.unit == unit else f'{value}<span class="sub">{own}</span>'


def roof_of(summary: Summary, key: int, name: str, tag: str = "span", attributes: str = 'class="sub"') -> str:
    """What share of this machine's roof a candidate reaches in a quantity; nothing when it is not known."""
    found = summary.roof.get(str(key), {}).get(name)
    return "" if found is None else f"<{tag} {attributes}>{said('roof.share', share=share(found))}</{tag}>"


def value_of(value: float | None, unit: str) -> str:
    """A value with its unit."""
    return both(lambda lang: amount(lang, value, unit))


def change_of(difference: float, unit: str, toward: str = "") -> str:
    """A signed difference."""
    return both(lambda lang: change(lang, difference, unit, toward))


def pair_of(before: float | None, after: float | None, unit: str) -> str:
    """Two values in the same unit with an arrow; a unit other than per cent stands once."""
    return both(lambda lang: f"{amount(lang, before, unit, bare=True)} → {amount(lang, after, unit)}")


def time_of(seconds: float) -> str:
    """A duration."""
    return both(lambda lang: duration(lang, seconds))


def reason_of(summary: Summary, candidate: Candidate, place: Standing, tag: str = "span") -> str:
    """Why a candidate won or did not."""
    return both(lambda lang: why(summary, candidate, lang, place), tag)


def number_cell(heading: str, inside: str, value: str | None = None, css: str = "num") -> str:
    """A cell of a column of numbers; its heading shows where the table is stacked, ``value`` is what sorts."""
    sort = "" if value is None else f' data-value="{value}"'
    return f'<td class="{css}"{sort}><span class="cell-name">{heading}</span><div>{inside}</div></td>'


def table_of(heads: Sequence[str], rows: Sequence[str], css: str = "stack") -> str:
    """A table from its head cells and its rows."""
    return f'<table class="{css}"><thead><tr>{"".join(heads)}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
