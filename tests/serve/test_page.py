"""The page: its files come with headers that let them do no harm, and in a real browser it does what it promises."""

from __future__ import annotations

import base64
import csv
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lighten.core.artifact import Artifact
from lighten.core.recipe import record_of
from lighten.serve.cases import CaseStore, VersionAnswer, case_of
from lighten.serve.keys import make_key
from lighten.serve.page import KINDS, file_reply, page_files
from lighten.serve.refusals import Refusal
from lighten.serve.shadow import Disagreement
from lighten.serve.traffic import Share
from lighten.serve.versions import ModelVersions, VersionState
from lighten.testing.scribe import TEMPLATE
from lighten.testing.serving import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGM4wcCAFTEMLQkAZsQ8AcBmBQYAAAAASUVORK5CYII="
"""A picture of 8 x 8 pixels, in base64."""
WIDTHS = (360, 1280)
SOON = 10_000
"""Milliseconds within which everything comes that is waited for."""


class Tree(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_has_no_code_and_no_style_of_its_own_and_asks_nobody_else() -> None:
    tree = Tree(page_files()["index.html"].decode())
    assert not any({"style", "srcset"} & set(attrs) or any(name.startswith("on") for name in attrs)
                   for _, attrs in tree.tags)  # fmt: skip
    assert not any(tag == "style" or (tag == "script" and "src" not in attrs) for tag, attrs in tree.tags)
    addresses = [attrs.get("src") or attrs.get("href") or "" for _, attrs in tree.tags if {"src", "href"} & set(attrs)]
    for address in addresses:
        assert address.startswith("#") or address.removeprefix("page/") in page_files(), address
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_field_has_a_name() -> None:
    text = page_files()["index.html"].decode()
    for tag, attrs in Tree(text).tags:
        if tag in ("select", "input", "textarea"):
            labelled = re.search(rf'<label[^>]*>(?:(?!</label>).)*id="{attrs["id"]}"', text, re.S)
            assert labelled or {"data-say-label", "aria-label"} & set(attrs), attrs


@pytest.mark.parametrize("name", sorted(name for name in page_files() if name.endswith(".js")))
def test_no_module_makes_markup_of_text_or_names_another_server(name: str) -> None:
    text = page_files()[name].decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert all(len(line) <= 240 for line in text.splitlines()) or name == "words.js"
    for module in re.findall(r'from "\./([^"]+)"', text):
        assert module in page_files(), module


def test_only_files_of_the_page_are_sent() -> None:
    for name in page_files():
        found = file_reply(name)
        assert found.status == 200 and found.kind == KINDS[Path(name).suffix] and found.body
    for name in ("", "..", "../page.py", "page.py", "%2e%2e", "index.html/", "INDEX.HTML", "\0"):
        with pytest.raises(Refusal) as refusal:
            file_reply(name)
        assert refusal.value.status == 404


def sealed(folder: Path, engine: Any, **meta: Any) -> Path:
    """A model that an engine opens, with its settings."""
    folder.mkdir(parents=True)
    (folder / "fake.txt").write_text("fake", encoding="utf-8")
    return Artifact.seal(folder, format="fake", meta={"engine": record_of(engine), **meta}).path


@pytest.fixture(scope="module")
def address(fake_engine: type, scribe: type, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with two versions of a classifier, one of pictures, one with hostile labels, and two that write."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("PIL")
    root = tmp_path_factory.mktemp("served")
    texts, pictures, writing = ({"asked": {"use": f"{kind}_{what}"}} for kind, what in (
        ("text", "classification"), ("image", "classification"), ("text", "generation")))  # fmt: skip
    labels = ["even", "odd"]
    review = root / "review"
    store = CaseStore(review, 1000, 1 << 24)
    for kind, words, answers in CASES:
        store.add(case_of("films", kind, words, [VersionAnswer(*one) for one in answers], "a note"))
    store.close()
    models = {
        "films:1": sealed(root / "a", fake_engine(), labels=labels, **texts),
        "films:2": sealed(root / "b", fake_engine(wrong=0.5, milliseconds=5.0), labels=labels, **texts),
        "photos": sealed(root / "c", fake_engine(), labels=labels, **pictures),
        "hostile": sealed(root / "d", fake_engine(), labels=[HOSTILE, f"{HOSTILE} "], **texts),
        "letters:1": sealed(root / "e", scribe(milliseconds=1.0), labels=[], chat_template=TEMPLATE, **writing),
        "letters:2": sealed(root / "f", scribe(milliseconds=25.0), labels=[], chat_template=TEMPLATE, **writing),
    }
    with running(*(f"{name}={path}" for name, path in models.items()), "--review", str(review)) as server:
        yield server.address


Visit = Callable[..., "Page"]
CASES = (
    ("flip", "the first of all", [("1", "even", 0.9), ("2", "odd", 0.6)]),
    ("flip", "the second", [("1", "odd", 0.9), ("2", "even", 0.6)]),
    ("flip", HOSTILE, [("1", HOSTILE, 0.9), ("2", "even", 0.6)]),
    ("guard", "the fourth", [("1", "odd", 0.9)]),
    ("suspicious", f"data:image/png;base64,{PNG}", [("1", "odd", 0.9), ("2", "even", 0.6)]),
)
"""Cases for review: kind, input, and what each version said, with its score."""
NEVER = (0, 0, 0, 0.0, 0.0, 1.0, 0.95, {})
"""What a shadow found that was never asked."""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens the page; afterwards nothing may have been logged, thrown or asked elsewhere.

    What a test brings about is logged by the browser, too, such as a refusal with its status: it is named beforehand.
    """
    problems: list[str] = []
    contexts = []

    def open_page(
        address: str, width: int = 1280, path: str = "/", expected: tuple[str, ...] = (), mocks: Any = None, **more: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=more.pop("locale", "en-GB"), **more
        )
        contexts.append(context)
        context.set_default_timeout(SOON)
        opened = context.new_page()

        def heard(text: str) -> None:
            if not any(one in text for one in expected):
                problems.append(text)

        opened.on("console", lambda message: heard(f"console: {message.text}"))
        opened.on("pageerror", lambda error: heard(f"error: {error}"))
        opened.on("request", lambda r: None if r.url.startswith((address, "blob:", "data:")) else heard(f"to: {r.url}"))
        for pattern, handler in (mocks or {}).items():
            context.route(pattern, handler)
        opened.goto(address + path)
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def text_of(seen: Page | Locator, selector: str) -> str:
    """What is read there, with plain spaces."""
    return seen.locator(selector).inner_text().replace("\u00a0", " ")


def check_says(seen: Page, selector: str, words: str) -> None:
    """Something is said, or comes to be within moments."""
    seen.locator(selector).filter(has_text=re.compile(words)).first.wait_for(state="visible")


def choose(seen: Page, first: str, second: str = "") -> None:
    """Have one model asked, or two."""
    seen.select_option("#first", first)
    if seen.is_enabled("#second"):
        seen.select_option("#second", second)


@pytest.mark.browser
def test_files_come_with_headers_that_let_them_do_no_harm(address: str, visit: Visit) -> None:
    seen = visit(address, expected=("Trusted",))
    for path in ("/", "/page/main.js", "/page/look.css", "/page/words.js", "/page/icon.svg"):
        reply = seen.request.get(address + path)
        policy = reply.headers["content-security-policy"]
        assert reply.status == 200 and policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
    assert seen.request.get(f"{address}/page/..%2fpage.py").status == 404
    assert "/page/" not in seen.request.get(f"{address}/openapi.json").text()
    for code in ("document.body.innerHTML = '<b>x</b>'", "document.querySelector('script').text = 'x'"):
        assert "TrustedHTML" in caught(seen, code) or "TrustedScript" in caught(seen, code)


def caught(seen: Page, code: str) -> str:
    """What a line of code throws."""
    return str(
        seen.evaluate("(code) => { try { (0, eval)(code); return ''; } catch (error) { return String(error); } }", code)
    )


@pytest.mark.browser
def test_it_says_who_is_there_in_the_language_of_the_browser_and_the_choice_is_kept(address: str, visit: Visit) -> None:
    seen = visit(address, locale="zh-CN")
    check_says(seen, "#found", "4 个模型（共 6 个版本）已就绪")
    assert seen.title() == "lighten: films, photos, hostile, letters"
    seen.click('[data-lang="en"]')
    check_says(seen, "#found", "4 models in 6 versions are ready to answer")
    seen.reload()
    check_says(seen, "#found", "4 models in 6 versions are ready to answer")
    assert seen.evaluate("document.documentElement.lang") == "en"
    assert seen.evaluate("Object.keys(localStorage).join()") == "lighten.lang"
    check_says(visit(address, path="/?lang=zh"), "#state", "就绪")


@pytest.mark.browser
def test_nothing_is_left_in_the_other_language(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "films:1", "films:2")
    seen.fill("#text", "abc")
    seen.click("#go")
    check_says(seen, "#answers .verdict", "the same|differ")
    seen.click('[data-lang="zh"]')
    seen.wait_for_function("document.documentElement.lang === 'zh'")
    left = seen.evaluate("document.body.innerText")
    for english in ("ready to answer", "Ask", "Beside it", "waiting", "Both say", "They differ", "version 1", "Copy"):
        assert english not in left, english
    for attribute in ("aria-label", "placeholder"):
        for said in seen.eval_on_selector_all(
            f"[{attribute}]", f"all => all.map(one => one.getAttribute('{attribute}'))"
        ):
            assert re.search("[\u4e00-\u9fff]", said), said


@pytest.mark.browser
def test_a_text_is_asked_with_the_keyboard_alone(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "films:1")
    for _ in range(40):
        seen.keyboard.press("Tab")
        if seen.evaluate("document.activeElement.id") == "text":
            break
    seen.keyboard.type("a film")
    seen.keyboard.press("Control+Enter")
    check_says(seen, "#answers .says", "even")
    assert "73.1%" in text_of(seen, "#answers .says")
    assert re.search(r"\d ms", text_of(seen, "#answers h4"))
    assert "Answered. films 1: even" in seen.locator("#told").text_content().replace("\u00a0", " ")  # type: ignore[union-attr]
    seen.wait_for_selector("#stop", state="hidden")


@pytest.mark.browser
def test_two_versions_are_compared_line_by_line(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    assert seen.input_value("#second") == "films:1"  # beside the version that answers, another of its name
    choose(seen, "films:1", "films:2")
    options = seen.locator("#second option").all_inner_texts()  # those that take texts, too
    assert options == ["nothing", "films 2", "hostile", "letters 1", "letters 2"]
    seen.check("#lines")
    lines = [f"line {'x' * place}" for place in range(12)]
    seen.fill("#text", "\n".join(lines) + "\n\n")
    seen.click("#go")
    check_says(seen, "#answers .verdict", r"of 12 the same")
    rows, apart = seen.locator(".rows .flip"), seen.locator(".rows .flip.apart")
    assert rows.count() == 12 and 0 < apart.count() < 12
    assert f"{12 - apart.count()} of 12 the same" in text_of(seen, "#answers .verdict")
    said = [one.all_inner_texts() for one in (rows.nth(place).locator(".says bdi") for place in range(12))]
    assert [a != b for a, b in said] == [("apart" in (rows.nth(n).get_attribute("class") or "")) for n in range(12)]
    assert seen.locator("#answers h4").count() == 2 and seen.is_visible("#fair")
    seen.check(".verdict input")
    assert seen.locator(".rows .flip:visible").count() == apart.count()


@pytest.mark.browser
def test_pictures_come_by_choice_by_drop_and_by_pasting(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "photos:1")
    seen.click("#go")
    check_says(seen, "#problem", "No file was chosen")
    png = base64.b64decode(PNG)
    seen.set_input_files("#files", [{"name": "one.png", "mimeType": "image/png", "buffer": png}])
    give = """([selector, kind, data]) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], kind + ".png", { type: "image/png" }));
      const options = { bubbles: true, cancelable: true };
      const event = kind === "paste" ? new ClipboardEvent("paste", { ...options, clipboardData: files })
        : new DragEvent(kind, { ...options, dataTransfer: files });
      document.querySelector(selector).dispatchEvent(event);
    }"""
    seen.evaluate(give, ["#try h2", "drop", PNG])
    seen.evaluate(give, ["body", "paste", PNG])
    assert seen.locator(".chosen-files li").count() == 3
    assert seen.locator(".chosen-files img").count() == 3
    seen.get_by_role("button", name="Remove paste.png").click()
    seen.click("#go")
    check_says(seen, ".rows .says >> nth=1", "even|odd")
    assert seen.locator(".rows .item img").count() == 2


@pytest.mark.browser
def test_an_input_that_cannot_be_read_is_refused_in_words(address: str, visit: Visit) -> None:
    seen = visit(address, expected=("status of 422",))
    check_says(seen, "#state", "Ready")
    choose(seen, "photos:1")
    seen.set_input_files("#files", [{"name": "no.png", "mimeType": "image/png", "buffer": b"nothing"}])
    seen.click("#go")
    check_says(seen, "#answers .problem", "The model cannot answer this input")
    assert "Input 0" in text_of(seen, "#answers .problem")
    seen.wait_for_function("document.querySelectorAll('.chosen-files img').length === 0")  # it is no picture


@pytest.mark.browser
def test_hostile_texts_are_shown_and_do_nothing(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "hostile:1")
    seen.check("#lines")
    seen.fill("#text", f"{HOSTILE}\n{HOSTILE}!")
    seen.click("#go")
    check_says(seen, ".rows .says >> nth=1", "script")
    assert HOSTILE in text_of(seen, ".rows .item >> nth=0")
    assert HOSTILE in text_of(seen, ".rows .says >> nth=0")
    assert seen.locator("script").count() == 1 and seen.locator("img").count() == 0
    assert "pwned" not in seen.title()


@pytest.mark.browser
def test_a_conversation_comes_word_by_word_and_is_stopped_by_a_key(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "letters:2")
    seen.fill("#text", "a")
    seen.keyboard.press("Enter")
    check_says(seen, ".thread .written", "bcdefg")
    assert seen.get_attribute(".thread .written", "aria-busy") == "true"
    seen.keyboard.press("Escape")
    check_says(seen, ".thread .note", "Stopped here")
    first = text_of(seen, ".thread .written")
    assert first.startswith("bcdefg") and len(first) < 256
    seen.wait_for_function("""async () => (await (await fetch("status")).json()).models.at(-1).gauges.running === 0""")
    asked: list[Any] = []
    seen.on("request", lambda r: asked.append(r.post_data_json) if r.url.endswith("/completions") else None)
    seen.click("#settings summary")
    seen.fill("#set-most", "3")
    seen.fill("#set-system", "be brief")
    seen.fill("#text", "x")
    seen.press("#text", "Enter")
    check_says(seen, ".thread li:nth-child(2) .note", "3 tokens, the first after")
    check_says(seen, ".thread li:nth-child(2) .note", "Cut after 3 tokens")
    roles = [one["role"] for one in asked[0]["messages"]]
    assert roles == ["system", "user", "assistant", "user"] and asked[0]["messages"][2]["content"] == first
    assert (asked[0]["model"], asked[0]["max_tokens"], asked[0]["temperature"]) == ("letters:2", 3, 0)
    assert seen.evaluate("document.activeElement.id") == "text"
    seen.click("#clear")
    assert seen.locator(".thread li").count() == 0


@pytest.mark.browser
def test_two_that_write_are_asked_one_after_the_other_and_compared(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "letters:1", "letters:2")
    seen.get_by_role("button", name="Continue a text").click()
    assert seen.input_value("#second") == "letters:2"
    seen.click("#settings summary")
    seen.fill("#set-most", "5")
    seen.fill("#text", "xa")
    seen.keyboard.press("Control+Enter")
    check_says(seen, ".thread .verdict", "The same text")
    assert [text.split("\n")[0] for text in seen.locator(".thread .written").all_inner_texts()] == ["xabcdef"] * 2
    assert seen.locator(".thread .begins").all_inner_texts() == ["xa", "xa"]


@pytest.mark.browser
def test_texts_are_compared_word_by_word_and_times_by_their_ratio(address: str, visit: Visit) -> None:
    seen = visit(address)
    found = seen.evaluate("""async () => {
      const { split, same, agreement } = await import("./page/answers.js");
      return [
        split("the cat sat", "the cat ran off"), split("今天天气好", "今天天气坏"), split("", "a"), split("a b", "a b"),
        same({ answer: "a" }, { answer: "a" }), same({ n: 1 }, { n: 1 }), agreement([{ n: 1 }], [{ n: 2 }]),
      ];
    }""")
    assert found[0] == {"words": 2, "left": ["the cat", " sat"], "right": ["the cat", " ran off"], "same": False}
    assert (found[1]["words"], found[1]["right"][1]) == (4, "坏")
    assert (found[2]["words"], found[2]["same"], found[3]["same"]) == (0, False, True)
    assert found[4:] == [True, None, None]


@pytest.mark.browser
def test_quantiles_are_those_of_what_came_between_two_looks(address: str, visit: Visit) -> None:
    from lighten.serve.metrics import FINE, SECONDS, Histogram

    rng, histogram = np.random.default_rng(3), Histogram(SECONDS, FINE)
    for value in rng.lognormal(-2, 1, 500):
        histogram.add(value)
    before, values = list(histogram.counts), rng.lognormal(-5, 0.8, 4000)
    for value in values:
        histogram.add(value)
    seen = visit(address)
    code = """async ([edges, before, after]) => {
      const { quantile } = await import("./page/pulse.js");
      return [...[0.5, 0.99].map((share) => quantile(edges, before, after, share)), quantile(edges, after, after, 0.5)];
    }"""
    *found, none = seen.evaluate(code, [histogram.edges, before, histogram.counts])
    assert found == pytest.approx(np.quantile(values, [0.5, 0.99]), rel=0.07) and none is None


@pytest.mark.browser
def test_what_happens_is_drawn(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "films:1")
    card = seen.locator("article.model").filter(has=seen.locator("h3", has_text=re.compile("films.*version 1")))
    seen.fill("#text", "abc")
    seen.click("#go")
    check_says(seen, "#answers .says", "odd")
    card.locator(".big", has_text=re.compile(r"\d\sms")).first.wait_for()
    card.get_by_role("img", name=re.compile("^requests a second: [0-9.]+; at most")).wait_for(state="attached")
    drawn = card.locator(".tile", has_text="latency").locator("path.win")
    assert "M" in (drawn.get_attribute("d") or "")
    assert re.search(r"Since the start [1-9]", card.inner_text())
    assert seen.locator("article.model").count() == 6
    letters = seen.locator("article.model", has_text=re.compile("letters.*version 1"))
    named = letters.locator(".what").all_text_contents()  # drawn once something happens
    assert "tokens a second" in named and "inputs of a batch" not in named


def refusal(status: int, code: str, **headers: str) -> Callable[[Route], None]:
    """Answers a request with an error of the server."""
    error = {"error": {"code": code, "message": "What waits already takes about 5 s.", "fix": "ask again later"}}

    def answer(route: Route) -> None:
        route.fulfill(status=status, headers=headers, content_type="application/json", body=json.dumps(error))

    return answer


@pytest.mark.browser
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (429, "overloaded", "too much to do right now"),
        (503, "restarting", "restarts after a crash"),
        (504, "expired", "before the deadline"),
        (403, "guarded_input", "stopped the input"),
        (418, "teapot", "refuses .status 418."),
    ],
)
def test_a_refusal_says_what_to_do_and_is_asked_again(
    status: int, code: str, words: str, address: str, visit: Visit
) -> None:
    mocks = {"**/predict/*": refusal(status, code, **{"retry-after": "3"})}
    seen = visit(address, expected=(f"status of {status}",), mocks=mocks)
    check_says(seen, "#state", "Ready")
    choose(seen, "films:1")
    seen.fill("#text", "abc")
    seen.click("#go")
    check_says(seen, "#answers .problem", words)
    said = text_of(seen, "#answers .problem")
    assert "What waits already takes about 5 s." in said and "Worth asking again in 3 s." in said
    seen.context.unroute("**/predict/*")
    seen.get_by_role("button", name="Ask again").click()
    check_says(seen, "#answers .says", "odd")


@pytest.mark.browser
def test_a_server_that_does_not_say_how_it_stands_is_no_server_that_is_gone(address: str, visit: Visit) -> None:
    seen = visit(address, expected=("status of 429",), mocks={"**/status": refusal(429, "overloaded")})
    check_says(seen, "#found", "does not say how it stands .status 429.")
    seen.context.unroute_all()
    check_says(seen, "#state", "Ready")


@pytest.mark.browser
def test_a_server_that_is_gone_is_missed_and_found_again(address: str, visit: Visit) -> None:
    seen = visit(address, expected=("net::ERR",))
    check_says(seen, "#state", "Ready")
    choose(seen, "films:1")
    for pattern in ("**/status", "**/predict/*"):
        seen.context.route(pattern, lambda route: route.abort())
    check_says(seen, "#state", "Unreachable")
    check_says(seen, "#found", "how it stood")
    seen.fill("#text", "abc")
    seen.click("#go")
    check_says(seen, "#answers .problem", "cannot be reached")
    seen.context.unroute_all()
    check_says(seen, "#state", "Ready")


@pytest.mark.browser
def test_a_key_is_asked_for_kept_in_the_tab_and_forgotten(
    fake_engine: type, tmp_path: Path, visit: Visit, browser: Browser
) -> None:
    model = sealed(tmp_path / "m", fake_engine(), labels=["even", "odd"], asked={"use": "text_classification"})
    key = make_key(tmp_path / "keys", "me")
    with running(f"m={model}", "--keys", str(tmp_path / "keys")) as server:
        address = server.address
        seen = visit(address, expected=("status of 401",))
        check_says(seen, "#lock", "needs a key")
        assert seen.evaluate("document.activeElement.id") == "key"
        assert seen.request.get(f"{address}/status").status == 401
        seen.fill("#key", "wrong")
        seen.keyboard.press("Enter")
        check_says(seen, "#wrong", "does not know this key")
        seen.keyboard.press("Escape")
        check_says(seen, "#found", "needs a key")
        seen.click("#forget")
        seen.fill("#key", key)
        seen.keyboard.press("Enter")
        check_says(seen, "#state", "Ready")
        seen.fill("#text", "abc")
        seen.click("#go")
        check_says(seen, "#answers .says", "odd")
        assert '"Authorization: Bearer $KEY"' in text_of(seen, "#command") and key not in seen.content()
        assert seen.evaluate("JSON.stringify({...localStorage})") == "{}"
        seen.reload()
        check_says(seen, "#state", "Ready")
        seen.click("#forget")
        check_says(seen, "#lock", "needs a key")
        assert seen.evaluate("JSON.stringify({...sessionStorage})") == "{}"


@pytest.mark.browser
def test_the_command_asks_the_same_and_is_copied(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#state", "Ready")
    choose(seen, "films:1")
    seen.fill("#text", 'it\'s "fine"')
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.click("#copy")
    seen.wait_for_selector("#copy.done")
    command = str(seen.evaluate("navigator.clipboard.readText()"))
    assert command.startswith(f"curl {address}/predict/films -d ")
    done = subprocess.run(["sh", "-c", command.replace("curl", "printf '%s\\n'", 1)], capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == {"inputs": ['it\'s "fine"'], "version": "1"}
    seen.check("#lines")
    seen.fill("#text", "a\n\nb")
    assert '"inputs":["a","b"]' in text_of(seen, "#command")
    choose(seen, "photos:1")
    assert "--data-binary @file" in text_of(seen, "#command")
    choose(seen, "letters:1")
    assert '"stream":true' in text_of(seen, "#command")


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_runs_over_the_side(width: int, lang: str, address: str, visit: Visit) -> None:
    seen = visit(address, width=width, path=f"/?lang={lang}")
    seen.wait_for_selector("article.model")
    long = "x" * 400
    choose(seen, "films:1", "films:2")
    seen.fill("#text", long)
    seen.click("#go")
    seen.wait_for_selector("#answers .verdict")
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    seen.check("#lines")
    seen.fill("#text", f"{long}\n{long}y")
    seen.click("#go")
    seen.wait_for_selector(".rows .flip")
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    choose(seen, "letters:1", "letters:2")
    seen.click("#settings summary")
    seen.fill("#set-most", "4")
    seen.fill("#text", long)
    seen.press("#text", "Enter")
    seen.wait_for_selector(".thread .verdict")
    assert seen.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_cases_are_judged_blind_with_the_keyboard_and_taken_back(address: str, visit: Visit) -> None:
    seen = visit(address)
    check_says(seen, "#review .case", "the first of all")
    sent: list[Any] = []
    seen.on("request", lambda r: sent.append(r.post_data_json) if r.method == "POST" else None)
    case = seen.locator("#review .case")
    assert "version" not in case.inner_text().replace("versions disagree", "") and "0.9" not in case.inner_text()
    assert "0 of 5 judged" in text_of(seen, "#review")
    case.focus()
    seen.keyboard.press("a")
    check_says(seen, "#review .case", "the second")
    check_says(seen, "#review .last", "You said: A is right")
    seen.keyboard.press("u")  # nothing was sent: it is as blind as before
    check_says(seen, "#review .last", "still blind")
    assert "the first of all" in case.inner_text() and sent == []
    first = case.locator(".written").first.inner_text()
    seen.keyboard.press("a")
    check_says(seen, "#review .case", "the second")
    seen.keyboard.press("=")
    check_says(seen, "#review .case", "script")
    assert HOSTILE in case.inner_text() and case.locator("img").count() == 0 and "pwned" not in seen.title()
    seen.keyboard.press("l")
    seen.keyboard.type("a b")  # letters in a field are letters
    seen.keyboard.press("Enter")
    check_says(seen, "#review .case", "the fourth")
    assert case.locator("button.verdict").all_text_contents() == ["Right A", "Wrong X"]
    seen.keyboard.press("s")
    seen.wait_for_selector("#review .case .item img")
    seen.keyboard.press("x")
    seen.get_by_role("button", name="Show the 1 that was skipped").click()
    check_says(seen, "#review .case", "the fourth")
    seen.select_option("#review select >> nth=0", "films")  # what waits to be sent is sent
    check_says(seen, "#review", "4 of 5 judged")
    assert sent == [{"verdict": "A"}, {"verdict": "both"}, {"label": "a b"}, {"verdict": "neither"}]
    with seen.expect_download() as download:
        seen.get_by_role("button", name="Download rows").click()
    assert download.value.suggested_filename == "films-rows.csv"
    rows = list(csv.reader(download.value.path().read_text(encoding="utf-8").splitlines()))
    assert rows == [["text", "label"], ["the first of all", first], [HOSTILE, "a b"]]
    case.focus()
    seen.keyboard.press("u")
    check_says(seen, "#review .case", "no longer blind")
    check_says(seen, "#review .case", "version 1")


@pytest.mark.browser
def test_a_verdict_that_cannot_be_kept_comes_back(address: str, visit: Visit) -> None:
    seen = visit(address, expected=("status of 503",), mocks={"**/review/*": refusal(503, "review_failed")})
    seen.wait_for_selector("#review .case .item")
    before = text_of(seen, "#review .case .item")
    seen.locator("#review .case button.verdict").first.click()
    check_says(seen, "#review .last", "You said")
    seen.evaluate("dispatchEvent(new Event('pagehide'))")  # who leaves is not waited for
    check_says(seen, "#review .wrongs", "Not now")
    assert text_of(seen, "#review .case .item") == before


@pytest.mark.browser
def test_versions_say_who_answers_and_what_the_shadow_found(address: str, visit: Visit) -> None:
    seen = visit(address)
    seen.wait_for_selector("article.versions")
    assert seen.locator("article.versions h3").all_text_contents() == ["films", "letters"]  # names of several versions
    last = seen.locator("article.versions >> nth=0").locator("tbody tr").nth(1)
    assert re.sub(r"\s+", " ", last.inner_text()).startswith("2 serves 100% Ready")
    bound = Disagreement("1", "2 <b>", 400, 1200, 30, 0.025, 0.0111, 0.0487, 0.95, {"full": 3, "odd": 1})
    states = (VersionState("1", "ready", "", ("serves",)), VersionState("2 <b>", "unloaded", "no <file>", ("shadow",)))
    told = ModelVersions("films", "1", "", Share("3", 0.2), Share("2 <b>", 0.05), states, bound)
    never = ModelVersions("other", "1", "", None, Share("2", 1.0), states, Disagreement("1", "2", *NEVER))
    body = json.dumps({"models": [told.to_json(), never.to_json()]})
    seen = visit(
        address, mocks={"**/versions": lambda route: route.fulfill(body=body, content_type="application/json")}
    )
    check_says(
        seen, ".shadow .found", "2 <b> answers 2.5% of the inputs of a request differently than 1; .*1.1% and 4.9%"
    )
    check_says(seen, ".shadow .note", "30 of 1,200 inputs in 400 requests.*95%")
    check_says(seen, ".shadow .note", "Left out: too many waited 3, odd 1")
    check_says(seen, ".shadow", "was not compared with 1 yet")
    rows = seen.locator("article.versions >> nth=0").locator("tbody tr").all_inner_texts()
    assert "serves 80%" in rows[0] and "shadow 5%" in rows[1] and "Not loaded" in rows[1] and "no <file>" in rows[1]
    seen.wait_for_selector('#toc a[href="#versions"]')


def served_by(address: str, seen: Page, name: str = "films", **headers: str) -> Any:
    """Who answers for a name."""
    return seen.request.get(f"{address}/versions/{name}", headers=headers).json()


@pytest.mark.browser
def test_an_operator_switches_shares_unloads_and_rolls_back(fake_engine: type, tmp_path: Path, visit: Visit) -> None:
    about = {"labels": ["even", "odd"], "asked": {"use": "text_classification"}}
    paths = {version: sealed(tmp_path / version, fake_engine(), **about) for version in "123"}
    with running(*(f"films:{version}={path}" for version, path in paths.items())) as server:
        seen = visit(server.address, expected=("status of 409",))
        card, sure = seen.locator("article.versions"), seen.locator("#sure")

        def press(name: str) -> None:
            card.get_by_role("button", name=name).click()
            sure.get_by_role("button").first.click()

        def says(words: str) -> None:
            card.get_by_role("status").filter(has_text=words).wait_for()

        card.get_by_role("button", name="Switch films to version 1").focus()
        seen.keyboard.press("Enter")
        check_says(seen, "#sure h2", "Switch films to version 1.$")
        check_says(seen, "#sure p", "Version 3 stays loaded, and no request is lost")
        assert seen.evaluate("document.activeElement.id") == "sure-no"
        seen.keyboard.press("Enter")  # who does not look changes nothing
        sure.wait_for(state="hidden")
        assert served_by(server.address, seen)["serve"] == "3"
        assert seen.evaluate("document.activeElement.ariaLabel") == "Switch films to version 1"
        seen.keyboard.press("Enter")
        seen.keyboard.press("Shift+Tab")
        seen.keyboard.press("Enter")
        says("Done: Switch films to version 1.")
        found = served_by(server.address, seen)
        assert (found["serve"], found["previous"]) == ("1", "3")
        assert "serves 100%" in card.locator("tbody tr").nth(0).inner_text()
        assert not card.get_by_role("button", name="Switch films to version 1").is_visible()
        assert not card.get_by_role("button", name="Unload version 1").is_visible()  # it serves
        canary = card.locator("form.part").first
        canary.locator("select").select_option("2")
        canary.locator("input").fill("12.5")
        canary.locator("input").press("Enter")
        check_says(seen, "#sure h2", "version 2 with 12.5%")
        check_says(seen, "#sure p", "in place of version 1")
        sure.get_by_role("button").first.click()
        says("Done: Set the canary of films")
        assert served_by(server.address, seen)["canary"] == {"version": "2", "share": 0.125}
        press("End the canary of films")
        says("Done: End the canary")
        press("Unload version 2 of films")
        says("Done: Unload version 2")
        found = served_by(server.address, seen)
        assert found["canary"] is None and found["versions"][1]["state"] == "unloaded"
        press("Load version 2 of films")
        says("Done: Load version 2")
        press("Roll back films to version 3")
        says("Done: Roll back films")
        assert served_by(server.address, seen)["serve"] == "3"
        (paths["2"] / "fake.txt").write_text("changed", encoding="utf-8")
        press("Reload version 2 of films")
        check_says(seen, "article.versions .problem", "As things stand, this cannot be done .409")
        check_says(seen, "article.versions tbody tr >> nth=1", "Ready")
        assert served_by(server.address, seen)["versions"][1]["failure"] in card.locator("tbody tr").nth(1).inner_text()
        seen.close()


@pytest.mark.browser
def test_who_is_no_operator_is_told_why_nothing_can_be_changed(fake_engine: type, tmp_path: Path, visit: Visit) -> None:
    about = {"labels": ["even", "odd"], "asked": {"use": "text_classification"}}
    paths = [sealed(tmp_path / version, fake_engine(), **about) for version in "12"]
    keys, review = str(tmp_path / "keys"), str(tmp_path / "review")
    key, _ = make_key(keys, "guest"), make_key(keys, "boss")
    options = ("--keys", keys, "--operator", "boss", "--review", review)
    with running(*(f"films:{n}={path}" for n, path in enumerate(paths, 1)), *options) as server:
        seen = visit(server.address, expected=("status of 401",))
        seen.fill("#key", key)
        seen.keyboard.press("Enter")
        check_says(seen, "#versions-barred", "Only operators")
        assert seen.locator("article.versions").count() == 1 and seen.locator("article.versions button").count() == 0
        assert not seen.is_visible("#review")
        seen.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "no_operator", "for operators .403"),
        (409, "conflict", "As things stand"),
        (409, "no_memory", "no memory"),
        (409, "not_loaded", "everything is as it was"),
        (503, "draining", "about to end"),
        (0, "", "cannot be reached"),
    ],
)
def test_a_change_that_is_refused_says_why_and_changes_nothing(
    status: int, code: str, words: str, address: str, visit: Visit
) -> None:
    answer = refusal(status, code) if status else lambda route: route.abort()
    mocks = {"**/versions/films": answer}
    seen = visit(address, path="/?lang=en", expected=(f"status of {status}", "net::ERR"), mocks=mocks)
    card = seen.locator("article.versions", has=seen.locator("h3", has_text="films"))
    card.get_by_role("button", name="Switch films to version 1").click()
    seen.locator("#sure-yes").click()
    card.locator(".problem", has_text=re.compile(words)).wait_for()
    assert "Done" not in card.inner_text() and card.get_by_role("button", name="Switch films").is_enabled()
    assert seen.request.get(f"{address}/versions/films").json()["serve"] == "2"
    card.get_by_role("button", name="Switch films to version 1").click()
    seen.keyboard.press("Escape")
    seen.locator("#sure").wait_for(state="hidden")
    seen.click('[data-lang="zh"]')
    assert re.search("[\u4e00-\u9fff]", text_of(card, ".problem b"))


@pytest.mark.browser
def test_who_wants_no_motion_sees_none(address: str, visit: Visit) -> None:
    seen = visit(address, reduced_motion="reduce")
    check_says(seen, "#state", "Ready")
    choose(seen, "letters:2")
    seen.fill("#text", "a")
    seen.press("#text", "Enter")
    seen.wait_for_selector('.thread [aria-busy="true"]')
    name = "getComputedStyle(document.querySelector('.thread .written'), '::after').animationName"
    assert seen.evaluate(name) == "none"
    seen.keyboard.press("Escape")
