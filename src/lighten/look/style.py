"""Style sheets that pages share. Each page adds its own behind them."""

from __future__ import annotations

from importlib.resources import files


def colours() -> str:
    """Colours by what they mean, light and dark."""
    return _sheet("colours")


def page_parts() -> str:
    """Fonts, the head of a page, its sections, cards, tables and buttons, in the colours of :func:`colours`."""
    return _sheet("page")


def _sheet(name: str) -> str:
    return files(__package__).joinpath(f"{name}.css").read_text(encoding="utf-8")
