"""Markup from untrusted text: everything is escaped, and every fixed text stands there in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from lighten.reports.words import LANGS, say

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_REORDERING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: object) -> str:
    """Text that any file and any terminal can hold: control characters and lone surrogates become U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", str(text))


def one_line(text: object) -> str:
    """:func:`clean` text on one line, without the marks that reorder what a terminal shows."""
    return _REORDERING.sub("", " ".join(clean(text).split()))


def esc(text: object) -> str:
    """Text for HTML or SVG, between tags or inside a quoted attribute."""
    return escape(clean(text), quote=True)


def data(text: object, css: str = "") -> str:
    """A text of the user's or a library's: escaped, and isolated so that right-to-left text disturbs no neighbour."""
    return f"<bdi{f' class={css}' if css else ''}>{esc(text)}</bdi>"


def both(make: Callable[[str], str], tag: str = "span", attributes: str = "") -> str:
    """One element per language around ``make(lang)``, whose result is escaped; the style sheet shows one of them."""
    space = f" {attributes}" if attributes else ""
    return "".join(f'<{tag} lang="{lang}"{space}>{esc(make(lang))}</{tag}>' for lang in LANGS)


def said(key: str, tag: str = "span", attributes: str = "", **values: object) -> str:
    """A fixed text in both languages (see ``words``)."""
    return both(lambda lang: say(lang, key, **values), tag, attributes)


def label(make: Callable[[str], str]) -> str:
    """``aria-label`` in English, with both languages kept for the switch."""
    texts = {lang: esc(make(lang)) for lang in LANGS}
    return f'aria-label="{texts["en"]}" data-label-en="{texts["en"]}" data-label-zh="{texts["zh"]}"'
