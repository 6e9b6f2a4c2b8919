"""Texts on their way to a page or a terminal: cleaned, escaped, and in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import Markup, escape

from lighten.reports.words import LANGS, say

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_REORDERING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: object) -> str:
    """Text that any file and any terminal can hold: control characters and lone surrogates become U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", str(text))


def one_line(text: object) -> str:
    """:func:`clean` text on one line, without the marks that reorder what a terminal shows."""
    return _REORDERING.sub("", " ".join(clean(text).split()))


def esc(text: object) -> Markup:
    """Text for HTML or SVG, between tags or inside a quoted attribute; markup stays as it is."""
    return escape(text if hasattr(text, "__html__") else clean(text))


def data(text: object, css: str = "") -> Markup:
    """A text of the user's or a library's: escaped, and isolated so that right-to-left text disturbs no neighbour."""
    return Markup("<bdi{}>{}</bdi>").format(_class(css), esc(text))


class Both:
    """A text in both languages. As markup it is one element for each, of which the style sheet shows one."""

    def __init__(self, make: Callable[[str], str]) -> None:
        self.texts = {lang: clean(make(lang)) for lang in LANGS}

    def __getitem__(self, lang: str) -> str:
        return self.texts[lang]

    def __bool__(self) -> bool:
        return any(self.texts.values())

    def __html__(self) -> Markup:
        return self.within("span")

    def __str__(self) -> str:
        return self.__html__()

    def within(self, tag: str, css: str = "") -> Markup:
        """As elements of this kind."""
        one = Markup('<{0} lang="{1}"{2}>{3}</{0}>')
        return Markup("").join(one.format(tag, lang, _class(css), text) for lang, text in self.texts.items())

    def label(self) -> Markup:
        """As ``aria-label`` in English, with both languages kept for the switch."""
        return Markup('aria-label="{0}" data-label-en="{0}" data-label-zh="{1}"').format(*self.texts.values())


def said(key: str, **values: object) -> Both:
    """A fixed text (see ``words``)."""
    return Both(lambda lang: say(lang, key, **values))


def _class(css: str) -> Markup:
    return Markup(' class="{}"').format(css) if css else Markup("")
