"""What several searches find in a text together, from left to right, and none of it twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lighten.core.guard import Span

Search = Callable[[int], Span | None]
"""The first part of a text that begins at a place or behind it."""


def leftmost(searches: Sequence[Search], begin: int, sure: int) -> list[Span]:
    """Parts that begin at ``begin`` or behind it and before ``sure``: always the one that begins first, the longest of
    those that begin together; what overlaps it is not looked at."""
    found: list[Span] = []
    waiting = {search: search(begin) for search in searches}
    while True:
        for search, one in waiting.items():
            if one is not None and one.begin < begin:
                waiting[search] = search(begin)
        best = min(
            (one for one in waiting.values() if one is not None and one.begin < sure),
            key=lambda one: (one.begin, -one.end),
            default=None,
        )
        if best is None:
            return found
        found.append(best)
        begin = best.end
