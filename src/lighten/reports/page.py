"""The report as one HTML file that opens offline: no request leaves it, and nothing in the user's texts can run."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from lighten.core.summary import Summary
from lighten.reports import changes, details, ladder, sections
from lighten.reports.figure import stylesheet
from lighten.reports.markup import both, data, esc, label, one_line, said
from lighten.reports.numbers import duration
from lighten.reports.words import say

SECTIONS = (
    sections.nearest, sections.frontier, ladder.ladder, sections.proof, changes.flips,
    changes.continuations, changes.groups, details.candidates, details.lineage, details.facts, details.reproduce,
)  # fmt: skip
"""In the order of the page; each gives nothing when the run has nothing for it."""
CONTENTS = (
    "nearest",
    "frontier",
    "ladder",
    "proof",
    "flips",
    "continuations",
    "groups",
    "candidates",
    "lineage",
    "reproduce",
)


def write_page(summary: Summary, path: Path | str) -> None:
    """Write the report as one self-contained HTML file in English and Chinese."""
    Path(path).write_text(page(summary), encoding="utf-8")


def page(summary: Summary) -> str:
    """The report as HTML. Styles and script stand in it and are allowed by their hashes; everything else is barred."""
    style = stylesheet() + files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    script = files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    titles = {lang: esc(say(lang, "page.title", model=one_line(summary.model))) for lang in ("en", "zh")}
    body = "".join(make(summary) for make in SECTIONS)
    return (
        "<!doctype html>\n"
        f'<html lang="en" data-title-en="{titles["en"]}" data-title-zh="{titles["zh"]}">\n'
        f'<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{esc(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<meta name="generator" content="lighten {esc(summary.lighten)}"><title>{titles["en"]}</title>'
        f"<style>{style}</style></head>\n"
        f'<body><a class="skip" href="#content">{said("page.skip")}</a>{_top(summary)}'
        f'<main id="content"><div class="wrap">{sections.hero(summary)}</div>{_contents(body)}'
        f'<div class="wrap">{body}{_foot(summary)}</div></main>\n<script>{script}</script></body></html>\n'
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _top(summary: Summary) -> str:
    buttons = "".join(
        f'<button type="button" data-lang="{lang}" aria-pressed="{str(lang == "en").lower()}">{name}</button>'
        for lang, name in (("en", "English"), ("zh", "中文"))
    )
    switch = f'<div class="switch" role="group" {label(lambda lang: say(lang, "page.language"))}>{buttons}</div>'
    name = f'<span class="brand">lighten</span><span class="of">{data(summary.model)}</span>'
    return f'<header class="top"><div class="wrap">{name}{switch}</div></header>'


def _contents(body: str) -> str:
    links = [f'<a href="#{name}">{said(f"{name}.title")}</a>' for name in CONTENTS if f'<section id="{name}">' in body]
    name = label(lambda lang: say(lang, "page.sections"))
    return f'<nav class="toc" {name}><div class="wrap">{"".join(links)}</div></nav>'


def _foot(summary: Summary) -> str:
    def text(lang: str) -> str:
        time = duration(lang, summary.seconds)
        return say(lang, "page.made", version=summary.lighten, started=_moment(summary.started), time=time)

    return f'<footer class="foot">{both(text)}</footer>'


def _moment(stamp: str) -> str:
    """An ISO 8601 time to the minute; what is none stays as it is."""
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return stamp
