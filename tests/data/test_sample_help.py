"""Help pages: paragraphs of two languages that belong together."""

from __future__ import annotations

import io
import tarfile

import pytest

from lighten.core.errors import UnsafeFile
from lighten.data.sample_help import pairs, paragraphs, paragraphs_in

PAGE = """<html><body><p id="par_id1" class="paragraph">Choose <span class="menuitem">File -
  Print</span>.</p><h2 id="hd_id2">Tips &amp; tricks</h2><p id="bm_module">No text of a page.</p><p id="par_id3"></p>
<table><tr><td><p id="par_id4">One<br>two</p></td></tr></table></body></html>"""


def archive(language: str, **pages: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, text in pages.items():
            member = tarfile.TarInfo(f"./usr/share/libreoffice/help/{language}/text/{name.replace('_', '/')}.html")
            member.size = len(text.encode())
            made.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def test_a_paragraph_is_one_text_whatever_is_inside_of_it() -> None:
    assert list(paragraphs_in(PAGE)) == [
        ("par_id1", "Choose File - Print."), ("hd_id2", "Tips & tricks"), ("par_id4", "One two"),
    ]  # fmt: skip


def test_paragraphs_are_named_by_page_and_id_in_every_language() -> None:
    found = dict(paragraphs(archive("zh-CN", swriter_main=PAGE)))
    assert found["swriter/main#hd_id2"] == "Tips & tricks" and len(found) == 3
    with pytest.raises(UnsafeFile, match="cannot be read"):
        dict(paragraphs(b"nothing of the kind"))


def test_pairs_are_those_that_were_translated_each_text_once() -> None:
    english = {"a/p#1": "Print", "a/p#2": "Print", "a/q#1": "Save", "b/p#1": "Close", "b/p#2": "1.", "b/p#3": "Open"}
    chinese = {"a/p#1": "打印", "a/p#2": "列印", "a/q#1": "Save", "b/p#1": "关闭", "b/p#2": "一", "b/p#3": "打印"}
    assert list(pairs(english, chinese)) == [("Print", "打印", "a", "a/p"), ("Close", "关闭", "b", "b/p")]
