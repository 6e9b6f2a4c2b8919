"""What every finder of a guard keeps: however a text is cut into pieces, the same is found."""

from __future__ import annotations

from collections.abc import Sequence

from lighten.core.guard import Finder, Span, replaced


def check_finder(finder: Finder, text: str, cuts: Sequence[int]) -> None:
    """Check a finder on one text that comes in pieces.

    Args:
        cuts: places at which the text is cut.

    Raises:
        AssertionError: what does not hold.
    """
    whole = finder.spans(text)
    edges = [0, *(place for one in whole for place in (one.begin, one.end)), len(text)]
    assert edges == sorted(edges) and all(one.begin < one.end for one in whole), f"they overlap or are empty: {whole}"
    places = sorted({min(one, len(text)) for one in cuts} | {len(text)})
    found, held, begin, offset = list[Span](), "", 0, 0
    at = 0
    for place in places:
        held += text[at:place]
        at = place
        over = place == places[-1]
        spans, sure = finder.scan(held, begin, over=over)
        assert all(begin <= one.begin < sure for one in spans), "a part was told before it was certain"
        found += [Span(one.begin + offset, one.end + offset, one.instead) for one in spans]
        end = max([sure, *(one.end for one in spans)])
        assert begin <= end <= len(held) and (not over or end == len(held)), "a place was passed, or held for ever"
        kept = finder.context(held, end)
        assert 0 <= kept <= end
        held, begin, offset = held[kept:], end - kept, offset + kept
    assert found == whole, f"in pieces {found}, in one {whole}"
    assert replaced(text, found) == replaced(text, whole)
