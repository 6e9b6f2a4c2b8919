"""Texts of the page: complete, with the same gaps in both languages, and all of them in use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lighten.serve import page_words
from lighten.serve.page_words import WORDS

HAN = re.compile("[\u4e00-\u9fff]")
GAP = re.compile(r"\{(\w+)(?:\|[^{}|]*\|[^{}|]*)?\}")
SAME_IN_BOTH = {"plain", "page.comma", "state.other", "write.top_p", "live.value"}
FOLDER = Path(page_words.__file__).parent
SOURCE = "".join(path.read_text(encoding="utf-8") for path in sorted((FOLDER / "page").iterdir()))
SERVER = "".join(
    path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py")) if path.name != "page_words.py"
)


@pytest.mark.parametrize("key", WORDS)
def test_every_text_stands_in_both_languages(key: str) -> None:
    english, chinese = WORDS[key]
    assert english and chinese
    assert set(GAP.findall(english)) == set(GAP.findall(chinese))
    assert "{" not in GAP.sub("", english + chinese)
    assert not HAN.search(english)
    assert key in SAME_IN_BOTH or HAN.search(chinese)


def test_every_text_that_is_said_is_there() -> None:
    heads = {key.partition(".")[0] for key in WORDS} - {"plain"}
    said = {one for one in re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"', SOURCE) if one.partition(".")[0] in heads}
    said |= set(re.findall(r'data-say(?:-\w+)?="([^"]+)"', SOURCE))
    assert len(said) > 80
    assert said <= set(WORDS), said - set(WORDS)


def test_every_text_is_used() -> None:
    named = set(re.findall(r'"([a-z_.0-9]+)"', SOURCE))
    starts = set(re.findall(r"`([a-z]+\.)\$\{", SOURCE))
    codes = (
        named
        | set(re.findall(r'"([a-z_]+)"', SERVER))
        | {"guarded_input", "guarded_output"}
        | {str(status) for status in range(400, 600)}
    )
    unused = [
        key
        for key in WORDS
        if key not in named and not any(key.startswith(one) and key.removeprefix(one) in codes for one in starts)
    ]
    assert unused == []
