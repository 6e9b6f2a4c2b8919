"""resume: take up a run where it stopped, without repeating what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lighten.core.errors import InputError
from lighten.core.summary import Summary
from lighten.search.listener import Listener
from lighten.search.manifest import asked_before
from lighten.search.options import seconds_of
from lighten.verbs.optimize import concluded


def resume(
    run: str | Path,
    *,
    time: str | None = None,
    candidates: int | None = None,
    under: Sequence[str] | str | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Take up a run where it stopped. What was finished is kept; everything is asked as it was, from its manifest.

    Args:
        run: its folder.
        time: of the whole search, what was spent before included, such as ``"30m"``; by default as it was.
        candidates: the most to try in all. under: other ceilings. By default as they were.

    Returns, raises:
        See :func:`lighten.optimize`.
    """
    options = asked_before(Path(run))
    if candidates is not None and candidates < 1:
        raise InputError(f"--candidates is {candidates}.", allowed="1 or more")
    if time is not None:
        options = replace(options, seconds=seconds_of(time))
    if candidates is not None:
        options = replace(options, candidates=candidates)
    if under is not None:
        options = replace(options, under=(under,) if isinstance(under, str) else tuple(under))
    return concluded(options, listener)
