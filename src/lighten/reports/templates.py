"""Templates of the page, in ``templates/``: everything that stands in one is cleaned and escaped, unless it is markup.

A line's break and its indentation in a template are for whoever reads it and no part of the page.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from lighten.reports.drawing import tone
from lighten.reports.markup import clean, data, said
from lighten.reports.values import name_of, title_of, unit_of_name, value_of


class OneLine(Extension):
    """Joins the lines of a template."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template without its line breaks and indentation."""
        return re.sub(r"\s*\n\s*", "", source)


def render(name: str, **values: object) -> Markup:
    """A template with its values, as markup. name: its file in ``templates/``."""
    return Markup(_environment().get_template(f"{name}.html").render(values))


def finished(value: object) -> object:
    """A text without what no page may hold; markup and numbers as they are."""
    return clean(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def _environment() -> Environment:
    made = Environment(
        autoescape=True,
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        finalize=finished,
        extensions=[OneLine],
    )
    made.filters["data"] = data
    made.globals |= {
        "said": said, "tone": tone, "name_of": name_of, "title_of": title_of, "unit_name": unit_of_name,
        "value_of": value_of,
    }  # fmt: skip
    return made
