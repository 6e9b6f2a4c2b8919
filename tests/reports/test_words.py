"""The table of texts: complete, with the same placeholders in both languages, and all of it in use."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from lighten.core import catalog
from lighten.reports import words
from lighten.reports.words import WORDS, quantity, say

HAN = re.compile("[\u4e00-\u9fff]")
SAME_IN_BOTH = {
    "rung.ours",
    "coverage.between",
    "page.colon",
    "say.and",
    "bound.spread",
    "bound.and",
}
TABLES = (
    "words.py",
    *(
        f"{name}_words.py"
        for name in ("page", "finding", "ending", "proof", "writing", "quantity", "training", "sweep")
    ),
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", WORDS)
def test_every_text_stands_in_both_languages(key: str) -> None:
    english, chinese = WORDS[key]
    assert english
    assert chinese
    assert placeholders(english) <= placeholders(chinese) | {"ratio"}
    assert placeholders(chinese) <= placeholders(english) | {"times"}
    assert not HAN.search(english)
    if key not in SAME_IN_BOTH:
        assert HAN.search(chinese), key


def test_every_text_is_used() -> None:
    folder = Path(words.__file__).parent
    source = "".join(p.read_text(encoding="utf-8") for p in folder.glob("*.py") if p.name not in TABLES)
    pages = "".join(p.read_text(encoding="utf-8") for p in (folder / "templates").glob("*.html"))
    starts = set(re.findall(r"""f["']([a-z_.]+)\.\{""", source)) | {"verdict", "status", "quantity"}
    ends = set(re.findall(r"""\{\w+\}(\.[a-z_]+)["']""", source))
    starts |= set(re.findall(r"""["']([a-z_.]+)\.["'] ~""", pages))
    ends |= set(re.findall(r"""~ ["'](\.[a-z_]+)["']""", pages))
    named = set(re.findall(r"""["']([a-z_.0-9]+)["']""", source + pages))
    heads, tails = tuple(f"{start}." for start in starts), tuple(ends)
    unused = [key for key in WORDS if key not in named and not key.startswith(heads) and not key.endswith(tails)]
    assert unused == []


@pytest.mark.parametrize(
    "meter", ["decode", "prefill", "streams", "bits_per_byte", "token_flips", "exact_match", "log_loss", "brier"]
)
def test_quantities_and_their_units_have_words(meter: str) -> None:
    for one in catalog.load("meters", meter).quantities:
        assert f"quantity.{one.name}" in WORDS, one.name
        assert one.unit in ("ms", "fraction") or f"unit.{one.unit}" in WORDS, one.unit


def test_chinese_is_spaced_as_it_is_typeset() -> None:
    assert (
        say("zh", "say.gain.higher", quantity="CPU 时间", times="7.1", ratio="7.1×")
        == "优胜者的 CPU 时间是原模型的 7.1 倍"
    )
    assert say("zh", "say.interrupted", time="12 秒", done=1, n=2).startswith("运行 12 秒后停止。2 个候选中")


def test_names_and_refusals() -> None:
    assert quantity("zh", "p50") == "中位延迟"
    assert quantity("en", "tpot") == "time per token"
    assert quantity("en", "no_such_thing") == "no_such_thing"
    with pytest.raises(ValueError, match="fr"):
        say("fr", "page.copy")
    with pytest.raises(KeyError):
        say("en", "say.nearest")
