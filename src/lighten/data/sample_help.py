"""Pages of LibreOffice's help in two languages to pairs of paragraphs, aligned by page and by the paragraph's id."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

from lighten.core.errors import UnsafeFile
from lighten.data.clients import files_of_deb
from lighten.data.sample_files import write_csv
from lighten.data.unpack import tar_bytes

FILE = "help-pages.csv"
PAGE = re.compile(r"\./usr/share/libreoffice/help/(?P<language>[\w-]+)/text/(?P<page>[\w/.-]+)\.html")
"""Name of a page in a package: its language, and its manual and place there, which are the same in all languages."""
OTHER_SCRIPT = re.compile("[\u4e00-\u9fff]")
"""A letter that a translated paragraph has, and one that was left in English has not."""
LETTER = re.compile(r"[^\W\d_]")
LEAST = 1000
"""Pairs below which the packages are not those that are known."""
COPYRIGHT = "./usr/share/doc/{package}/copyright"


def make_help(packages: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """``help-pages.csv`` (query, document, group, page): paragraphs in English, the same in Chinese, the manual.

    Paragraphs that were not translated are left out, and so are those whose text in either language was there before.
    Returns notes.

    Raises:
        UnsafeFile: a package is damaged, or holds hardly any pairs.
    """
    archives = [files_of_deb(package) for package in packages]
    english, chinese = (dict(paragraphs(archive)) for archive in archives)
    rows = list(pairs(english, chinese))
    if len(rows) < LEAST:
        raise UnsafeFile(f"The help pages hold {len(rows):,} pairs of paragraphs.", allowed=f"{LEAST:,} or more")
    write_csv(folder / FILE, ("query", "document", "group", "page"), rows)
    for archive, name in zip(archives, ("libreoffice-help-en-us", "libreoffice-help-zh-cn"), strict=True):
        (folder / f"copyright-{name}").write_bytes(tar_bytes(archive, COPYRIGHT.format(package=name)))
    return (f"{len(rows):,} paragraphs in English and Chinese; the group is the manual, 9 of them.",)


def pairs(english: Mapping[str, str], chinese: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """(English, Chinese, manual, page) of every paragraph that is new in both languages. Both by page and id."""
    known: set[str] = set()
    for place, text in english.items():
        other = chinese.get(place, "")
        if not OTHER_SCRIPT.search(other) or not LETTER.search(text) or text in known or other in known:
            continue
        known |= {text, other}
        page = place.rpartition("#")[0]
        yield text, other, page.partition("/")[0], page


def paragraphs(archive: bytes) -> Iterator[tuple[str, str]]:
    """(page#id, text) of every paragraph and heading of a package, in the order of its pages.

    Raises:
        UnsafeFile: the package cannot be read.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            for member in sorted(opened, key=lambda one: one.name):
                found = PAGE.fullmatch(member.name)
                file = opened.extractfile(member) if found and member.isreg() else None
                if found and file is not None:
                    for name, text in paragraphs_in(file.read().decode("utf-8", "replace")):
                        yield f"{found['page']}#{name}", text
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UnsafeFile(f"The package of help pages cannot be read ({error}).") from error


def paragraphs_in(page: str) -> Iterable[tuple[str, str]]:
    """(id, text) of every paragraph and heading of a page that has an id and a text."""
    reader = _Paragraphs()
    reader.feed(page)
    reader.close()
    return reader.found


class _Paragraphs(HTMLParser):
    """Collects the texts of paragraphs and headings; what is inside them is one text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._open = ("", "")
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A paragraph begins."""
        if tag == "p" or (len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()):
            self._end()
            name = dict(attrs).get("id") or ""
            self._open, self._text = (tag, name if name.startswith(("par_", "hd_")) else ""), []
        elif tag == "br":
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """It ends."""
        if tag == self._open[0]:
            self._end()

    def handle_data(self, data: str) -> None:
        """A part of its text."""
        self._text.append(data)

    def _end(self) -> None:
        text = " ".join("".join(self._text).split())
        if self._open[1] and text:
            self.found.append((self._open[1], text))
        self._open, self._text = ("", ""), []
