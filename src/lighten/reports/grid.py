"""Terminal tables of numbers that show as many quantities as the terminal has room for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from lighten.core.result import Result
from lighten.reports.baselines import ratio_words
from lighten.reports.numbers import amount, unit_name
from lighten.reports.words import capital, quantity, say

GOOD, BAD, WARN, SOFT = "green", "red", "yellow", "dim"


@dataclass(frozen=True)
class Row:
    """One row: its name, its results by quantity, what stands after the numbers, and a remark below some of them."""

    name: Text
    results: Mapping[str, Result]
    after: tuple[Text, ...] = ()
    below: Mapping[str, str] = field(default_factory=dict)


def number_table(
    rows: Sequence[Row],
    names: Sequence[str],
    width: int,
    lang: str,
    *,
    title: str,
    after: Sequence[tuple[str, int]] = (),
    ratios: bool = True,
) -> Table:
    """A table with as many of the quantities as fit, in their order; the caption names those that do not.

    Args:
        width: columns of the terminal.
        names: quantities, the most important first.
        after: heading and expected width of the columns after the numbers.
        ratios: whether each value has its ratio below it.
    """
    columns = {name: _column(rows, name, lang, ratios) for name in names}
    most = max(18, width // 3)
    room = width - min(_width(row.name for row in rows), most) - 4 - sum(wide for _, wide in after)
    shown: list[str] = []
    for name in names:
        room -= _width(columns[name]) + 2
        if room < 0 and shown:
            break
        shown.append(name)
    hidden = [quantity(lang, name) for name in names[len(shown) :]]
    gap = "、" if lang == "zh" else ", "
    caption = Text(say(lang, "table.more", names=gap.join(hidden))) if hidden else None
    table = Table(box=SIMPLE_HEAD, title=Text(title), title_justify="left", caption=caption, caption_justify="left")
    table.add_column(say(lang, "column.candidate"), overflow="fold", max_width=most)
    for name in shown:
        table.add_column(columns[name][0], justify="right", no_wrap=True)
    for head, _ in after:
        table.add_column(head, overflow="fold")
    for i, row in enumerate(rows):
        table.add_row(row.name, *(columns[name][i + 1] for name in shown), *row.after)
    return table


def ratio_text(result: Result | None, lang: str) -> Text:
    """A ratio with its spread, green when clearly better and red when clearly worse; empty when there is none."""
    times = result.ratio if result is not None else None
    if result is None or times is None:
        return Text("")
    tone = WARN if result.unsure else GOOD if times > 1.05 else BAD if times < 0.95 else SOFT
    return Text(ratio_words(result, lang), style=tone)


def _width(cells: Iterable[Text]) -> int:
    """Columns that the widest line of any cell takes."""
    return max((cell_len(line) for cell in cells for line in cell.plain.split("\n")), default=0)


def _column(rows: Sequence[Row], name: str, lang: str, ratios: bool) -> list[Text]:
    """Heading and cells of one quantity."""
    known = next((row.results[name] for row in rows if name in row.results), None)
    unit = known.unit if known else ""
    title = capital(quantity(lang, name))
    head = Text(title.replace(" ", "\n", 1) if lang == "en" else title)
    if unit not in ("", "fraction"):
        unit_text = unit_name(lang, unit).replace(" per ", " per\n")
        head.append(f"\n{unit_text}", style=SOFT)
    cells = [head]
    for row in rows:
        result = row.results.get(name)
        lines = [Text(amount(lang, result.value, unit, bare=True) if result else "–")]
        if result is not None and result.unit != unit:
            lines.append(Text(unit_name(lang, result.unit), style=SOFT))
        if ratios and result is not None and result.ratio is not None:
            lines.append(ratio_text(result, lang))
        if name in row.below:
            lines.append(Text(row.below[name], style=SOFT))
        cells.append(Text("\n").join(lines))
    return cells
