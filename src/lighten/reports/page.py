"""The report as one HTML file that opens offline: no request leaves it, and nothing in the user's texts can run."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from lighten.core.summary import Summary
from lighten.look.style import page_parts
from lighten.reports import changes, details, ladder, sections
from lighten.reports.figure import stylesheet
from lighten.reports.markup import Both, one_line
from lighten.reports.numbers import duration
from lighten.reports.templates import render
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
    """The report as HTML."""
    body = Markup("").join(make(summary) for make in SECTIONS)
    return document(
        title=Both(lambda lang: say(lang, "page.title", model=one_line(summary.model))),
        model=summary.model,
        version=summary.lighten,
        hero=sections.hero(summary),
        contents=[name for name in CONTENTS if f'<section id="{name}">' in body],
        body=body,
        made=made(summary.lighten, summary.started, summary.seconds),
    )


def document(
    *, title: Both, model: str, version: str, hero: Markup, contents: Sequence[str], body: Markup, made: Both
) -> str:
    """A page as HTML. Styles and script stand in it and are allowed by their hashes, pictures where they stand in it
    too; everything else is barred.

    Args:
        contents: ids of the sections that the navigation leads to. made: the last line.
    """
    own = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    style = stylesheet() + page_parts() + own
    script = files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    values = {
        "title": title,
        "policy": policy,
        "version": version,
        "model": model,
        "style": Markup(style),
        "script": Markup(script),
        "hero": hero,
        "contents": contents,
        "body": body,
        "made": made,
    }
    return str(render("page", **values))


def made(version: str, started: str, seconds: float) -> Both:
    """The last line: what made the page, and when."""
    return Both(
        lambda lang: say(lang, "page.made", version=version, started=_moment(started), time=duration(lang, seconds))
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _moment(stamp: str) -> str:
    """An ISO 8601 time to the minute; what is none stays as it is."""
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return stamp
