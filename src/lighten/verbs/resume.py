"""resume: take up a search or a training where it stopped, without repeating what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lighten.core.errors import InputError
from lighten.core.summary import Summary
from lighten.core.training import TrainingResult
from lighten.fitting import manifest as trainings
from lighten.fitting.options import VERB
from lighten.search import manifest as searches
from lighten.search.listener import Listener
from lighten.search.options import seconds_of
from lighten.store.folder import manifest_at
from lighten.verbs.optimize import concluded
from lighten.verbs.train import trained


def is_training(run: Path) -> bool:
    """Whether a run is one of :func:`lighten.train`.

    Raises:
        RunFolderError: there is no run, or its manifest is damaged.
    """
    return manifest_at(run).get("verb") == VERB


def resume(
    run: str | Path,
    *,
    time: str | None = None,
    candidates: int | None = None,
    under: Sequence[str] | str | None = None,
    listener: Listener | None = None,
) -> Summary | TrainingResult:
    """Take up a run where it stopped. What was finished is kept; everything is asked as it was, from its manifest.

    Args:
        run: folder of a search or of a training. A training goes on by the plan that it has.
        time: of the whole search, what was spent before included, such as ``"30m"``; by default as it was.
        candidates: the most to try in all. under: other ceilings. By default as they were.

    Returns, raises:
        See :func:`lighten.optimize` and :func:`lighten.train`.
    """
    if is_training(Path(run)):
        others = {"time": time, "candidates": candidates, "under": under}
        if given := [f"--{name}" for name, value in others.items() if value is not None]:
            raise InputError(
                f"{', '.join(given)}: {run} is a training, whose plan was made when it began.",
                fix=f"lighten resume {run}; or begin another with lighten train",
            )
        return trained(trainings.asked_before(Path(run)), listener)
    options = searches.asked_before(Path(run))
    if candidates is not None and candidates < 1:
        raise InputError(f"--candidates is {candidates}.", allowed="1 or more")
    if time is not None:
        options = replace(options, seconds=seconds_of(time))
    if candidates is not None:
        options = replace(options, candidates=candidates)
    if under is not None:
        options = replace(options, under=(under,) if isinstance(under, str) else tuple(under))
    return concluded(options, listener)
