"""The original: the model as it stands, or what a first training makes of one without a head."""

from __future__ import annotations

from math import inf

from lighten.core.matching import facts_of
from lighten.search.context import Run
from lighten.search.start import recipe_of_head

HEAD_TIMES = 2.0
"""Times the search's own time that the first training of a model without a head may take: three passes of a network of
twelve layers over long texts can take hours, and nobody was told."""
WHOLE, BY_TIME = 0.98, 0.8
"""Share of its passes from which a training counts as whole, as batches do not fill it exactly; and share of its time
from which it was the time that ended it, not its patience."""
TUNED = "original"
"""Under which the study remembers what the first training made."""


def prepare_original(run: Run) -> None:
    """Fine-tune the model when it has no head for these labels; else it is the original as it stands."""
    if not run.facts["has_head"]:
        most = inf if run.options.seconds is None else HEAD_TIMES * run.options.seconds
        run.listener.note(_announcement(run, most))
        study = run.folder.study
        recipe = recipe_of_head(run.options.model, run.options.seed, run.original.format, run.facts)
        tuned = run.folder.store.find(study.recall(TUNED, ""), (run.original.format,))  # whatever versions made it
        plan = recipe.plan(format=run.original.format, facts=run.facts)
        run.original = tuned or run.workshop.make(run.original, plan, seconds=most, shortens=True)
        if tuned is None:
            _tell_shortened(run, most)
        study.remember(TUNED, run.original.id)
        run.facts = facts_of(run.original)
    run.workshop.teach_with(run.original)
    if run.task.settles_classes and run.folder.study.recall("original tune accuracy") is None:
        run.folder.study.remember("original tune accuracy", run.workshop.score(run.original, "tune"))


def _announcement(run: Run, most: float) -> str:
    """What is said before the first training. most: seconds that it plans with."""
    bound = f" It takes about {most / 60:.0f} min at most, with fewer passes where they would take longer."
    return (
        f"{run.options.model} has no head for this task: it is fine-tuned first on {len(run.parts.train):,} rows. "
        f"This comes before the search and is not counted in its time.{bound if most < inf else ''}"
    )


def _tell_shortened(run: Run, most: float) -> None:
    """Say so where the time ended the training. most: seconds that it planned with."""
    for done in run.workshop.work:
        if done.reached < WHOLE and done.seconds > BY_TIME * most:
            run.notes.append(f"There was time for {done.reached:.0%} of the passes of {run.options.model}'s training.")
            run.listener.note(run.notes[-1])
