"""The frontier as plain SVG: quality with its interval against the quantity that is minimized."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from lighten.core.result import HIGHER
from lighten.core.summary import Summary
from lighten.look.style import colours
from lighten.reports.baselines import told_alike
from lighten.reports.describe import unit_of
from lighten.reports.marks import MARKS, Point, points, shape
from lighten.reports.markup import Both, clean, esc
from lighten.reports.numbers import amount, bound, ratio, unit_name
from lighten.reports.plot import Across, Axis, Box, place_label, text_width
from lighten.reports.standing import example, limit_of, quality_metric
from lighten.reports.words import LANGS, capital, quantity, say

FONT = 12.5


def write_svg(summary: Summary, path: Path | str, lang: str = "en") -> None:
    """Write the frontier as one picture with its own style, in one language."""
    Path(path).write_text(frontier_svg(summary, (lang,), 860, 430, alone=True), encoding="utf-8")


def frontier_svg(
    summary: Summary, langs: Sequence[str] = LANGS, width: int = 960, height: int = 460, *, alone: bool = False
) -> str:
    """The frontier as SVG.

    Args:
        langs: languages its texts stand in; the page's style shows one of two.
        width, height: in pixels; below 500 wide only the marks that matter most are labelled.
        alone: a file of its own: with style and titles, without what the page's script needs.
    """
    drawing = _Drawing(summary, tuple(langs), width, height, alone)
    return drawing.svg()


class _Drawing:
    """One figure being put together; ``taken`` collects what labels must not cover."""

    def __init__(self, summary: Summary, langs: tuple[str, ...], width: int, height: int, alone: bool) -> None:
        self.summary, self.langs, self.width, self.height, self.alone = summary, langs, width, height, alone
        self.metric, self.cost = quality_metric(summary), summary.budget.minimize
        self.points = points(summary)
        self.narrow = width < 500
        self.taken: list[Box] = []
        self.captions: list[str] = []
        legend = max((y for lang in self.langs for _, _, y in self._legend_spots(lang)), default=20.0)
        self.frame = Box(62, legend + 48, width - 18, height - (66 if self.narrow else 50))
        floor = next((b for b in summary.budget.keep if b.metric == self.metric), None)
        ceiling = next((b for b in summary.budget.under if b.metric == self.cost), None)
        self.floor = limit_of(summary, floor) if floor else None
        self.ceiling = limit_of(summary, ceiling) if ceiling else None

    def svg(self) -> str:
        style = f"<style>{stylesheet()}</style>" if self.alone else ""
        name = Both(self._title).label() if not self.alone else f'aria-label="{esc(self._title(self.langs[0]))}"'
        role = "img" if self.alone else "group"
        css = f"figure {'narrow' if self.narrow else 'wide'}"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{css}" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="{role}" {name}>{style}'
        )
        return f'{head}<rect class="paper" width="100%" height="100%"/>{self._body()}</svg>'

    def _title(self, lang: str) -> str:
        metric, cost = capital(quantity(lang, self.metric)), quantity(lang, self.cost)
        return say(lang, "frontier.label", metric=metric, quantity=cost, n=len(self.points))

    def _body(self) -> str:
        if not self.points:
            middle = self.width / 2, self.height / 2
            return self._text(lambda lang: say(lang, "frontier.empty"), *middle, "hint", "middle")
        known = example(self.summary, self.cost)
        self.y, bottom = self._vertical()
        self.less = known is None or known.direction != HIGHER
        sunk = [self._is_below(p, bottom) for p in self.points]
        hopeless = {p.key for p, low in zip(self.points, sunk, strict=True) if low}
        costs, ends = {p.key: p.cost for p in self.points}, (self.frame.left + 14, self.frame.right - 14)
        self.across = Across.of(costs, hopeless, [self.ceiling] if self.ceiling else [], *ends)
        self.x = self.across.axis
        self.spots = [
            (self.across.place(p.key), self.frame.bottom - 16 if low else self.y.place(p.quality))
            for p, low in zip(self.points, sunk, strict=True)
        ]
        self.taken += [Box(x - 9, y - 9, x + 9, y + 9) for x, y in self.spots]
        below = [self._limits(), self._grid(), self._axes(), self._stairs(sunk)]
        marks = [self._point(p, spot, low) for p, spot, low in zip(self.points, self.spots, sunk, strict=True)]
        return "".join([*below, self._legend(), *marks, *self.captions, self._names()])

    def _rises(self) -> bool:
        """Whether more of the quality is better."""
        known = example(self.summary, self.metric)
        return known is None or known.direction == HIGHER

    def _vertical(self) -> tuple[Axis, float]:
        """The quality axis, better at the top, and the worst quality it shows: hopeless ones do not stretch it."""
        sign = 1.0 if self._rises() else -1.0
        met = [p for p in self.points if "missed" not in p.kinds] or list(self.points)
        values = [sign * p.quality for p in met] + ([sign * self.floor] if self.floor is not None else [])
        top, low = max(values), min(values)
        lowest = low - 1.1 * max(top - low, 1e-3 * abs(top), 1e-9)
        shown = [max(lowest, sign * p.quality) for p in self.points] + values
        ends = [sign * end for p in met if p.interval and p.kinds[0] != "beaten" for end in p.interval]
        shown += [min(max(lowest, end), top + 0.6 * (top - lowest)) for end in ends]
        room = 0.06 * (max(shown) - min(shown)) or 0.01
        worst, best = sign * (min(shown) - room), sign * (max(shown) + room)
        if sign > 0:
            return Axis(worst, best, self.frame.bottom, self.frame.top), sign * lowest
        return Axis(best, worst, self.frame.top, self.frame.bottom), sign * lowest

    def _is_below(self, point: Point, bottom: float) -> bool:
        return point.quality < bottom if self._rises() else point.quality > bottom

    def _limits(self) -> str:
        parts, frame = [], self.frame
        unit, cost = unit_of(self.summary, self.metric), unit_of(self.summary, self.cost)
        if self.floor is not None:
            y = self.y.place(self.floor)
            parts.append(f'<rect class="below" x="{frame.left}" y="{y:.1f}" width="{frame.right - frame.left}" '
                         f'height="{frame.bottom - y:.1f}"/>')  # fmt: skip
            parts.append(f'<line class="floor" x1="{frame.left}" x2="{frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            floor, key = self.floor, "frontier.floor" if self._rises() else "frontier.floor.lower"
            self.captions.append(
                self._text(lambda lang: say(lang, key, limit=bound(lang, floor, unit)), frame.right - 6, y + 16,
                           "floor-text", "end")
            )  # fmt: skip
            self.taken += [Box(frame.right - 120, y, frame.right, y + 20), Box(frame.left, y - 2, frame.right, y + 2)]
        if self.ceiling is not None:
            x, ceiling = self.x.place(self.ceiling), self.ceiling
            end = x > (frame.left + frame.right) / 2
            parts.append(f'<line class="floor" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.top}" y2="{frame.bottom}"/>')
            self.captions.append(
                self._text(lambda lang: say(lang, "frontier.ceiling", limit=bound(lang, ceiling, cost)),
                           x - 6 if end else x + 6, frame.bottom - 8, "floor-text", "end" if end else "start")
            )  # fmt: skip
            self.taken.append(Box(x - 150 * end, frame.bottom - 22, x + 150 * (1 - end), frame.bottom))
        return "".join(parts)

    def _grid(self) -> str:
        parts, frame = [], self.frame
        ticks = self.y.ticks(4 if self.narrow else 6)
        places = max((len(f"{value:.10g}".partition(".")[2]) for value in ticks), default=0)
        for value in ticks:
            y = self.y.place(value)
            parts.append(f'<line class="grid" x1="{frame.left}" x2="{frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            text = self._tick(value, unit_of(self.summary, self.metric), self.y, places)
            parts.append(
                f'<text class="tick" x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{esc(text)}</text>'
            )
        for value in self.x.ticks(4 if self.narrow else 8):
            x = self.x.place(value)
            parts.append(f'<line class="base" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.bottom}" y2="{frame.bottom + 5}"/>')
            text = self._tick(value, unit_of(self.summary, self.cost), self.x)
            middle = f'y="{frame.bottom + 19}" text-anchor="middle"'
            parts.append(f'<text class="tick" x="{x:.1f}" {middle}>{esc(text)}</text>')
        parts.append(
            f'<line class="base" x1="{frame.left}" x2="{frame.right}" y1="{frame.bottom}" y2="{frame.bottom}"/>'
        )
        return "".join(parts)

    @staticmethod
    def _tick(value: float, unit: str, axis: Axis, least: int | None = None) -> str:
        """least: decimals that every tick of the axis has; None for as many as each needs."""
        if unit == "fraction":
            places = 0 if axis.high - axis.low > 0.04 else 1 if axis.high - axis.low > 0.004 else 2
            return f"{100 * value:.{places}f}%"
        return f"{value:,.10g}" if least is None else f"{value:,.{least}f}"

    def _axes(self) -> str:
        frame, unit = self.frame, unit_of(self.summary, self.cost)

        def across(lang: str) -> str:
            unit_text = "" if unit == "fraction" else unit_name(lang, unit)
            log = say(lang, "frontier.log") if self.x.log else ""
            inside = ", ".join(part for part in (unit_text, log) if part)
            return f"{capital(quantity(lang, self.cost))}{f' ({inside})' if inside else ''}"

        def upward(lang: str) -> str:
            best = "" if self._rises() else f"{say(lang, 'page.colon')}{say(lang, 'frontier.best')}"
            return f"{capital(quantity(lang, self.metric))}{best}"

        hint = "frontier.less" if self.less else "frontier.more"
        at = (frame.left, "start") if self.less else (frame.right, "end")
        other = (frame.right, "end") if self.less else (frame.left, "start")
        y = self.height - 10
        title = y - 19 if self.narrow else y
        return "".join(
            [
                self._text(upward, 10, frame.top - 12, "title"),
                self._text(across, other[0], title, "title", other[1]),
                self._text(lambda lang: say(lang, hint), at[0], y, "hint", at[1]),
            ]
        )

    def _stairs(self, sunk: Sequence[bool]) -> str:
        """The frontier: from each of its points along its own quality to the cost of the next better one."""
        steps = [
            (*spot, p.cost)
            for p, spot, low in zip(self.points, self.spots, sunk, strict=True)
            if p.key in self.summary.frontier and not low
        ]
        steps.sort(key=lambda s: s[2] if self.less else -s[2])
        if len(steps) < 2:
            return ""
        for (x0, y0, _), (x1, y1, _) in pairwise(steps):
            self.taken += [Box(min(x0, x1), y0 - 2, max(x0, x1), y0 + 2), Box(x1 - 2, min(y0, y1), x1 + 2, max(y0, y1))]
        path = f"M{steps[0][0]:.1f} {steps[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y, _ in steps[1:])
        return f'<path class="stair" d="{path}"/>'

    def _legend(self) -> str:
        parts = []
        for lang in self.langs:
            row = []
            for kind, x, y in self._legend_spots(lang):
                row.append(f'<g class="{kind}">{shape(kind, x, y)}</g>')
                text = esc(say(lang, f"mark.{kind}"))
                row.append(f'<text class="hint" x="{x + 14:.1f}" y="{y + 4:.1f}">{text}</text>')
            parts.append(f'<g lang="{lang}" aria-hidden="true">{"".join(row)}</g>')
        return "".join(parts)

    def _legend_spots(self, lang: str) -> list[tuple[str, float, float]]:
        """Kind and position of every mark in the legend, in as many rows as it needs."""
        x, y, found = 20.0, 20.0, []
        for kind in reversed(MARKS):
            if any(kind in p.kinds for p in self.points):
                wide = text_width(say(lang, f"mark.{kind}"), FONT) + 34
                if x + wide > self.width and x > 20:
                    x, y = 20.0, y + 22
                found.append((kind, x, y))
                x += wide
        return found

    def _point(self, point: Point, spot: tuple[float, float], low: bool) -> str:
        x, y = spot
        parts = []
        if point.interval and not low:
            top, end = sorted(self.y.place(value) for value in point.interval)
            quiet = " quiet" if point.kinds[0] in ("beaten", "missed") else ""
            parts.append(f'<line class="whisker{quiet}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{end:.1f}"/>')
        parts.append(shape(point.kinds[0], x, y))
        if point.kinds[1:]:
            parts.append(f'<path class="cross" d="M{x - 2.5:.1f} {y - 2.5:.1f}l5 5m0 -5l-5 5"/>')
        if low:
            parts.append(f'<path class="ring" d="M{x - 4:.1f} {y + 8:.1f}l4 5 4 -5"/>')
        if side := self.across.pinned.get(point.key):
            parts.append(f'<path class="ring" d="M{x + 8 * side:.1f} {y - 4:.1f}l{5 * side} 4 {-5 * side} 4"/>')

        def text(lang: str) -> str:
            unit = unit_of(self.summary, self.metric)
            numbers = f"{amount(lang, point.quality, unit)}, {amount(lang, point.cost, point.unit)}"
            return f"{clean(point.name)}: {numbers}"

        css = f"point {' '.join(point.kinds)}"
        if self.alone:
            return f'<g class="{css}"><title>{esc(text(self.langs[0]))}</title>{"".join(parts)}</g>'
        at = f'cx="{x:.1f}" cy="{y:.1f}"'
        hit = f'<circle class="halo" {at} r="14"/><circle class="hit" {at} r="13"/>'
        acts = f'role="button" tabindex="0" data-key="{point.key}" {Both(text).label()}'
        return f'<g class="{css}" {acts}>{"".join(parts)}{hit}</g>'

    def _names(self) -> str:
        """Names beside the marks that matter; those of other frontier points only where they cover nothing."""
        parts = []
        for point, spot in reversed(list(zip(self.points, self.spots, strict=True))):
            kind, strong = point.kinds[0], point.kinds[0] in ("winner", "original")
            if not strong and (kind not in ("stock", "frontier") or (self.narrow and kind == "frontier")):
                continue
            texts = {lang: self._name(point, kind, lang) for lang in self.langs}
            width = max(text_width(text, FONT) for text in texts.values()) * (1.06 if strong else 1.0)
            gaps = (13.0, 24.0, 38.0) if strong else (13.0,)
            spotted = place_label(spot, width, 16, self.frame, self.taken, gaps)
            if not strong and spotted.harm > 1:
                continue
            self.taken.append(spotted.box)
            css = f"name {'strong' if strong else ''}".strip()
            parts.append(self._text(texts.__getitem__, spotted.x, spotted.box.top + 12.5, css, spotted.anchor))
        return f'<g aria-hidden="true">{"".join(parts)}</g>'

    def _name(self, point: Point, kind: str, lang: str) -> str:
        if kind == "original":
            return say(lang, "mark.original")
        if kind == "winner":
            won = self.summary.winner
            gain = won.ratio.get(self.cost) if won and told_alike(self.summary, self.cost, point.unit) else None
            spread = won.ratio_spread.get(self.cost) if won else None
            text = ratio(gain, spread) if gain else ""
            if text and won and self.cost in won.unsure:
                text = say(lang, "ratio.unsure", ratio=text)
            return f"{say(lang, 'mark.winner')} {text}".rstrip()
        most = 20 if self.narrow else 34
        name = " ".join(clean(point.name).split())
        return name if len(name) <= most else f"{name[: most - 1]}…"

    def _text(self, make: Callable[[str], str], x: float, y: float, css: str, anchor: str = "start") -> str:
        at = f'class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        return "".join(f'<text lang="{lang}" {at}>{esc(make(lang))}</text>' for lang in self.langs)


def stylesheet() -> str:
    """The style of figures; it brings its own colours, light and dark."""
    return colours() + files(__package__).joinpath("figure.css").read_text(encoding="utf-8")
