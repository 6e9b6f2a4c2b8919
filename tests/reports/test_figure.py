"""The frontier figure: well-formed, complete, legible, and safe whatever the names are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from lighten.core.budget import Budget
from lighten.core.result import LOWER
from lighten.proof import Verdict, judge_counts
from lighten.reports.drawing import interval_svg
from lighten.reports.figure import frontier_svg, write_svg
from lighten.reports.marks import interval, points
from lighten.reports.plot import Across, Axis, Box, linear_ticks, place_label, scale, text_width, wilson
from lighten.testing import language_summaries, summaries
from lighten.testing.language_summaries import bits_verdict

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_is_one_file_of_valid_svg(lang: str, tmp_path: Path) -> None:
    write_svg(summaries.winner(), tmp_path / "f.svg", lang)
    root = ElementTree.parse(tmp_path / "f.svg").getroot()
    texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert ("winner 7.1× ± 0.3" if lang == "en" else "优胜者 7.1× ± 0.3") in [t.replace("\u00a0", " ") for t in texts]
    assert ("floor 88.21%" if lang == "en" else "下限 88.21%") in texts
    assert {node.get("lang") for node in root.iter(f"{SVG}text")} <= {lang, None}
    assert len(list(root.iter(f"{SVG}title"))) == len(points(summaries.winner()))
    source = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert not re.search(r"(href|src|url\()", source)


def test_every_measured_candidate_is_a_mark_of_the_right_kind() -> None:
    run = summaries.winner()
    kinds = {point.key: point.kinds for point in points(run)}
    assert set(kinds) == {c.key for c in run.candidates if c.state == "ok"}
    assert (kinds[0], kinds[6], kinds[5]) == (("original",), ("winner",), ("frontier",))
    assert (kinds[2], kinds[8], kinds[13]) == (("stock", "missed"), ("missed",), ("beaten",))


def test_marks_differ_by_shape_and_not_by_colour_alone() -> None:
    root = ElementTree.fromstring(frontier_svg(summaries.winner(), ("en",), alone=True))
    shapes: dict[str, list[tuple[str, str | None, str]]] = {}
    for group in root.iter(f"{SVG}g"):
        css = group.get("class", "")
        if css.startswith("point"):
            forms = [
                (node.tag, node.get("r"), (node.get("d") or "")[-8:]) for node in group if node.tag != f"{SVG}title"
            ]
            shapes.setdefault(css, [form for form in forms if form[0] != f"{SVG}line"])
    assert len({str(forms) for forms in shapes.values()}) == len(shapes) == 6


def test_marks_on_the_page_can_be_reached_and_named() -> None:
    root = ElementTree.fromstring(frontier_svg(summaries.winner()))
    marks = [g for g in root.iter(f"{SVG}g") if g.get("role") == "button"]
    assert len(marks) == 16
    assert all(g.get("tabindex") == "0" and g.get("aria-label") and g.get("data-label-zh") for g in marks)


def test_hopeless_candidates_do_not_squash_the_others() -> None:
    root = ElementTree.fromstring(frontier_svg(summaries.winner(), ("en",), alone=True))
    ticks = [node.text or "" for node in root.iter(f"{SVG}text") if node.get("class") == "tick"]
    percents = [float(text[:-1]) for text in ticks if text.endswith("%")]
    assert min(percents) > 80  # one candidate has 65.7%, and stands at the edge with an arrow


def test_labels_stay_inside_the_picture_and_off_each_other() -> None:
    for width, height in ((960, 460), (380, 430)):
        root = ElementTree.fromstring(frontier_svg(summaries.winner(), ("en",), width, height, alone=True))
        boxes = []
        for node in root.iter(f"{SVG}text"):
            wide = text_width(node.text or "", 12.5)
            shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[node.get("text-anchor", "start")]
            left, y = float(node.get("x", "0")) - shift * wide, float(node.get("y", "0"))
            assert left >= -12
            assert left + wide <= width + 12
            if (node.get("class") or "").startswith("name"):
                boxes.append(Box(left, y - 12, left + wide, y + 3))
        assert all(a.overlap(b) < 40 for i, a in enumerate(boxes) for b in boxes[:i])


def test_higher_is_better_turns_the_axis() -> None:
    text = frontier_svg(summaries.bare(), ("en",), alone=True)
    assert "more is better" in text
    assert "Throughput (rows/s, log scale)" in text


def test_a_quality_where_lower_is_better_has_its_best_at_the_top() -> None:
    run = summaries.winner()
    turned = tuple(
        replace(c, results={n: replace(r, direction=LOWER) if n == "accuracy" else r for n, r in c.results.items()})
        for c in run.candidates
    )
    root = ElementTree.fromstring(
        frontier_svg(replace(run, candidates=turned, budget=Budget((), (), "cpu")), ("en",), alone=True)
    )
    ticks = [n for n in root.iter(f"{SVG}text") if n.get("class") == "tick" and (n.text or "").endswith("%")]
    heights = sorted((float((n.text or "")[:-1]), float(n.get("y", "0"))) for n in ticks)
    assert heights[0][1] < heights[-1][1]


def test_bits_per_byte_have_their_least_at_the_top_and_say_so() -> None:
    root = ElementTree.fromstring(frontier_svg(language_summaries.documents(), ("en",), alone=True))
    texts = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert "Bits per byte: less is better ↑" in texts
    assert "at most 1.329\u00a0bits/byte" in texts
    assert "Time per token (ms, log scale)" in texts
    found = [n for n in root.iter(f"{SVG}text") if n.get("class") == "tick" and re.fullmatch(r"1\.\d\d", n.text or "")]
    heights = sorted((float(n.text or ""), float(n.get("y", "0"))) for n in found)
    assert len(heights) > 2
    assert heights == sorted(heights, key=lambda pair: pair[1])


def test_hopeless_baselines_stand_at_the_side_and_do_not_squash_the_others() -> None:
    run = language_summaries.documents()
    root = ElementTree.fromstring(frontier_svg(run, ("en",), alone=True))
    ticks = [n.text or "" for n in root.iter(f"{SVG}text") if n.get("class") == "tick"]
    assert not any(tick.startswith("0.0") for tick in ticks)
    assert len([p for p in points(run) if p.unit == "ms/byte"]) == 2
    titles = [node.text or "" for node in root.iter(f"{SVG}title")]
    assert any(text.endswith("1.925\u00a0bits/byte, 0.0203\u00a0ms per byte") for text in titles)


def test_values_far_off_are_pinned_in_their_order() -> None:
    across = Across.of({1: 5.0, 2: 8.0, 3: 0.02, 4: 0.01, 5: 9000.0, 6: 300.0}, {3, 4, 5}, [], 0, 400)
    assert across.pinned == {3: -1, 4: -1, 5: 1}
    assert 0 == across.place(4) < across.place(3) < across.place(1) < across.place(2) < across.place(6)
    assert across.place(6) < across.place(5) == 400
    assert Across.of({1: 5.0, 2: 0.01}, {1, 2}, [], 0, 400).pinned == {}


def test_nothing_measured_says_so() -> None:
    assert "No candidate has both numbers yet." in frontier_svg(replace(summaries.winner(), candidates=()), ("en",))


def test_one_candidate_alone_can_be_drawn() -> None:
    run = summaries.winner()
    ElementTree.fromstring(frontier_svg(replace(run, candidates=run.candidates[:1], frontier=()), ("en",)))


def test_names_cannot_break_out() -> None:
    for alone in (True, False):
        text = frontier_svg(summaries.hostile(), alone=alone)
        ElementTree.fromstring(text)
        assert "<script" not in text
        assert "onerror=&#34;" in text


def test_interval_drawing_holds_its_numbers() -> None:
    verdict = judge_counts(5057, 87, 72, 5766, 0.01)
    text = interval_svg(verdict, "fraction").replace("\u00a0", " ")
    ElementTree.fromstring(text)
    assert "−0.63 pt" in text
    assert "allowed −1.00 pt" in text
    ElementTree.fromstring(interval_svg(judge_counts(10, 0, 0, 10, 0.0), "fraction"))


def test_interval_of_bits_is_drawn_with_more_bits_to_the_right() -> None:
    root = ElementTree.fromstring(
        f'<svg xmlns="http://www.w3.org/2000/svg">{interval_svg(_verdict(0.0042), "bits/byte")}</svg>'
    )
    (shaded,) = [node for node in root.iter(f"{SVG}rect") if node.get("class") == "below"]
    (limit,) = [node for node in root.iter(f"{SVG}line") if node.get("class") == "floor"]
    (dot,) = root.iter(f"{SVG}circle")
    texts = {"".join(node.itertext()) for node in root.iter(f"{SVG}text")}
    assert shaded.get("x") == limit.get("x1")
    assert float(dot.get("cx", "0")) < float(limit.get("x1", "0"))
    assert {"allowed +1.00%", "允许 +1.00%", "+0.87%"} <= texts


def _verdict(more: float) -> Verdict:
    return Verdict.from_json(bits_verdict(more, 0.0087, "holds"))


def test_scales_and_ticks() -> None:
    assert scale([1, 100], 0, 100).log
    assert not scale([10, 20], 0, 100).log
    assert scale([5, 5], 0, 100).place(5) == pytest.approx(50)
    axis = Axis(1, 100, 0, 200, log=True)
    assert axis.place(10) == pytest.approx(100)
    assert axis.place(1000) == 200
    assert axis.ticks(3) == [1, 10, 100]
    assert linear_ticks(0.86, 0.91, 5) == pytest.approx([0.86, 0.87, 0.88, 0.89, 0.90, 0.91])
    assert Axis(2.2, 2.8, 0, 1, log=True).ticks(4)


def test_a_label_avoids_what_is_taken() -> None:
    frame = Box(0, 0, 200, 200)
    above = Box(60, 60, 140, 90)
    assert place_label((100, 100), 60, 14, frame, []).anchor == "middle"
    placed = place_label((100, 100), 60, 14, frame, [above])
    assert placed.box.overlap(above) == 0
    assert placed.harm == 0


def test_wilson_interval_against_the_published_example() -> None:
    low, high = wilson(15 / 148, 148)  # Newcombe 1998, table I: 0.0624 to 0.1605
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)


def test_only_shares_have_a_score_interval() -> None:
    results = summaries.winner().candidates[0].results
    assert interval(results["accuracy"]) is not None
    assert interval(replace(results["accuracy"], meter="macro_f1")) is None
    assert interval(replace(results["accuracy"], value=None)) is None
