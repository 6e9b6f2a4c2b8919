"""The page: one file, safe, complete in every state; and in a real browser it does what it promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lighten.core.summary import Flip, Group, Summary
from lighten.reports.page import page, write_page
from lighten.testing import language_summaries, summaries

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RUNS: list[Callable[[], Summary]] = [
    summaries.winner,
    summaries.nothing_met,
    summaries.interrupted,
    summaries.bare,
    summaries.asked_for,
    summaries.hostile,
    language_summaries.documents,
    language_summaries.answers,
    language_summaries.baseline_won,
    language_summaries.hostile,
]
VOID = {"meta", "input", "br", "img", "link"}


class Tree(HTMLParser):
    """Collects tags, ids and what does not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", RUNS)
def test_the_page_is_one_well_formed_file_that_asks_for_nothing(make: Callable[[], Summary]) -> None:
    text = page(make())
    tree = Tree(text)
    assert tree.open == []
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert not any({"src", "srcset", "style", "onclick"} & set(attrs) for _, attrs in tree.tags)
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in tree.tags)
    assert sum(tag == "script" for tag, _ in tree.tags) == 1
    policy = next(attrs["content"] for tag, attrs in tree.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"@import|url\(", text)


@pytest.mark.parametrize("make", [summaries.hostile, language_summaries.hostile])
def test_no_text_of_the_user_becomes_markup(make: Callable[[], Summary]) -> None:
    text = page(make())
    assert not any(tag == "img" for tag, _ in Tree(text).tags)
    assert "<script>document" not in text
    assert "\x1b" not in text
    text.encode("utf-8")


@pytest.mark.parametrize(
    "make", [summaries.winner, summaries.asked_for, language_summaries.documents, language_summaries.answers]
)
def test_both_languages_are_in_the_file_and_balanced(make: Callable[[], Summary]) -> None:
    tree = Tree(page(make()))
    assert sum(a.get("lang") == "zh" for _, a in tree.tags) == sum(
        a.get("lang") == "en" for t, a in tree.tags if t != "html"
    )


def test_what_is_not_there_is_left_out() -> None:
    def sections(run: Summary) -> set[str]:
        return set(re.findall(r'<section id="(\w+)">', page(run)))

    full = {"frontier", "ladder", "proof", "candidates", "data", "environment", "reproduce", "paths"}
    assert sections(summaries.winner()) == full | {"flips", "groups", "lineage"}
    assert sections(summaries.nothing_met()) == full | {"nearest"}
    assert sections(summaries.interrupted()) == full
    assert sections(summaries.bare()) == full | {"flips", "lineage"}
    assert "Not one answer changed." in page(summaries.bare())
    assert sections(language_summaries.documents()) == full | {"flips", "continuations", "lineage"}
    assert sections(language_summaries.baseline_won()) == full | {"flips"}
    empty = replace(
        summaries.interrupted(), candidates=(), frontier=(), baseline=(), environment={}, command="", paths={}
    )
    assert {"frontier", "proof", "data"} <= sections(empty)


def test_the_page_of_a_language_model_tells_roofline_bytes_and_what_the_original_is() -> None:
    text = page(language_summaries.documents())
    assert "72% of roofline" in text
    assert "The roofline is the most that this machine allows" in text
    assert "More than 100% is possible" in text
    assert "The original is the file as you brought it" in text
    assert "No cheap baseline keeps the floors" in text
    assert "The tokens of these baselines are bytes" in text
    assert "Bars are 95% intervals." not in text
    assert "Bars are 95% intervals." in page(language_summaries.answers())
    assert "of roofline" not in page(summaries.winner())
    assert "内存带宽（只读）" in text


def test_a_value_that_was_asked_and_a_group_that_decides_are_told() -> None:
    text = page(summaries.asked_for()).replace("\u00a0", " ")
    assert "on 5,766 unseen rows its accuracy is at least 88.51% (95% bound); you asked for 88%." in text
    for said in ("group that decides", "tweets", "asked for", "exact binomial interval (Clopper and Pearson)"):
        assert said in text
    assert "5,766 proof rows prove that accuracy keeps 88% if the candidate shows 88.71% on them." in text
    assert "最小分组（tweets）的 600 行验证数据" in text


def test_unknown_energy_is_explained() -> None:
    text = page(summaries.winner())
    assert "Energy: unknown (no counter that this user may read)" in text
    assert "能耗：未知（no counter that this user may read）" in text


def test_many_flips_are_counted_in_full_and_shown_in_part() -> None:
    flips = tuple(Flip(f"text {i}", "a", "a", "b", "", "broke") for i in range(300))
    moved = (Flip("third", "c", "a", "b", "", "moved"),)
    text = page(replace(summaries.winner(), flips=flips + moved))
    assert "100 of 300 shown" in text
    assert "Both wrong, differently" in text
    assert "text 99<" in text
    assert "text 100<" not in text


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a run's page; afterwards nothing may have been logged, thrown or requested."""
    problems: list[str] = []
    contexts = []

    def open_page(run: Summary, width: int = 1280, tail: str = "") -> Page:
        write_page(run, tmp_path / "report.html")
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
        contexts.append(context)
        opened = context.new_page()
        opened.on("console", lambda message: problems.append(f"console: {message.text}"))
        opened.on("pageerror", lambda error: problems.append(f"error: {error}"))
        opened.on("request", lambda r: None if r.url.startswith("file:") else problems.append(f"request: {r.url}"))
        opened.goto((tmp_path / "report.html").as_uri() + tail)
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.browser
def test_the_language_switches_and_the_choice_survives_a_reload(visit: Callable[..., Page]) -> None:
    seen = visit(summaries.winner())
    assert seen.locator("h1").inner_text().startswith("The winner’s CPU time")
    assert seen.title() == "lighten report: sample:minilm"
    seen.click('[data-lang="zh"]')
    seen.wait_for_function("document.documentElement.lang === 'zh'")
    assert seen.url.endswith("#zh")
    seen.reload()
    assert seen.locator("h1").inner_text().startswith("优胜者的 CPU 时间")
    assert seen.locator("#filter").get_attribute("placeholder") == "按名称、配方或原因筛选"
    assert seen.title() == "lighten 报告：sample:minilm"
    left = seen.evaluate("document.body.innerText")
    assert "Every candidate" not in left
    assert "Winner found" not in left
    seen.click(".toc a >> nth=2")
    assert seen.url.endswith("#zh")
    assert visit(summaries.winner(), tail="?lang=zh").evaluate("document.documentElement.lang") == "zh"


@pytest.mark.browser
def test_marks_show_a_tooltip_on_hover_and_focus_and_find_their_row(visit: Callable[..., Page]) -> None:
    seen = visit(summaries.winner())
    mark = seen.locator('svg.wide .point[data-key="5"]')
    tip = seen.locator("#tip-5")
    assert tip.is_hidden()
    mark.hover()
    assert tip.is_visible()
    assert re.search(r"Accuracy: 95% interval 87\.\d\d% to 90\.\d\d%", tip.inner_text().replace("\n", " "))
    seen.mouse.move(5, 5)
    assert tip.is_hidden()
    mark.focus()
    assert tip.is_visible()
    box, frame = tip.bounding_box(), seen.locator(".plot").bounding_box()
    assert box is not None
    assert frame is not None
    assert frame["x"] <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    seen.fill("#filter", "nothing like it")
    mark.focus()
    seen.keyboard.press("Enter")
    row = seen.locator("#row-5")
    assert row.is_visible()
    assert "chosen" in (row.get_attribute("class") or "")
    assert seen.evaluate("document.activeElement.id") == "row-5"
    seen.locator("#row-8").click()
    assert "chosen" in (seen.locator('svg.wide .point[data-key="8"]').get_attribute("class") or "")


@pytest.mark.browser
def test_the_table_sorts_and_filters(visit: Callable[..., Page]) -> None:
    seen = visit(summaries.winner())
    names = seen.locator(".candidates tbody tr:visible th.name > bdi")
    head = seen.locator(".candidates thead th.num >> nth=1")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert names.first.inner_text() == "1 layer + distilled + int8 static @ ov"
    assert names.last.inner_text() == "int8 static @ ort"  # without a value: last both ways
    head.locator("button").click()
    assert names.first.inner_text() == "original @ torch"
    assert names.last.inner_text() == "int8 static @ ort"
    seen.fill("#filter", "STATIC ort")
    assert set(names.all_inner_texts()) == {"2 layers + int8 static @ ort", "int8 static @ ort"}
    assert seen.locator("#shown").inner_text() == "2"
    seen.fill("#filter", "")
    seen.click('.chips [data-status="worse"]')
    assert names.all_inner_texts() == ["2 layers + distilled + int8 static @ ov"]
    seen.click('.chips [data-status="all"]')
    assert names.count() == 19


@pytest.mark.browser
def test_both_models_stand_side_by_side_and_bytes_beside_their_numbers(visit: Callable[..., Page]) -> None:
    seen = visit(language_summaries.documents())
    assert seen.locator("h1").inner_text().startswith("The winner’s time per byte of text written is 43%")
    left, right = (seen.locator(".sample >> nth=0").locator(".sides > div").nth(i) for i in (0, 1))
    one, two = left.bounding_box(), right.bounding_box()
    assert one is not None
    assert two is not None
    assert one["y"] == two["y"]
    assert one["x"] + one["width"] <= two["x"]
    assert "bytes/s" in seen.locator("#row-2").inner_text()
    seen.locator('svg.wide .point[data-key="2"]').hover()
    assert "ms per byte" in seen.locator("#tip-2").inner_text()
    assert "536×" in seen.locator("#tip-2 dd >> nth=1").inner_text()  # by bytes
    seen.click('[data-lang="zh"]')
    seen.wait_for_function("document.documentElement.lang === 'zh'")
    assert seen.locator("h1").inner_text().startswith("优胜者的每字节文本生成用时")
    assert "续写对照" in seen.evaluate("document.body.innerText")


@pytest.mark.browser
def test_the_command_is_copied(visit: Callable[..., Page]) -> None:
    seen = visit(summaries.winner())
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.click(".copy")
    seen.wait_for_selector(".copy.done")
    assert seen.evaluate("navigator.clipboard.readText()") == summaries.winner().command


@pytest.mark.browser
def test_hostile_texts_are_shown_and_do_nothing(visit: Callable[..., Page]) -> None:
    seen = visit(summaries.hostile())
    seen.wait_for_timeout(100)
    assert "pwned" not in seen.title().split("document.title=")[0]
    assert seen.title().startswith("lighten report: <script>")
    assert seen.locator("img").count() == 0
    assert seen.locator("script").count() == 1
    assert "<script>document.title='pwned'</script>" in seen.locator(".flip p").first.inner_text()
    seen.locator('svg.wide .point[data-key="5"]').hover()
    assert "<script>" in seen.locator("#tip-5 b").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("make", RUNS)
def test_nothing_runs_over_the_side(make: Callable[[], Summary], width: int, visit: Callable[..., Page]) -> None:
    run = make()
    long = Group("x" * 200, 10, 0.5, 0.5)
    for lang in ("#en", "#zh"):
        seen = visit(replace(run, groups=(*run.groups, long)) if run.groups else run, width=width, tail=lang)
        assert seen.evaluate("document.documentElement.scrollWidth") <= width
        drawn = seen.locator("svg.wide" if width > 620 else "svg.narrow")
        assert drawn.is_visible()
