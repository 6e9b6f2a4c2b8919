"""Schedule: how long things take, what the time that is left allows, and what is kept back for the proof."""

from __future__ import annotations

from collections.abc import Sequence

from lighten.core.result import Candidate
from lighten.core.space import Space
from lighten.core.task import asked_facts
from lighten.search.context import Run
from lighten.search.evaluate import seconds_a_row
from lighten.search.proposals import Body

LANGUAGE_DRESSING = (60.0, 0.4)
"""Seconds that calibrating, quantizing and measuring one of them takes, about, and what judging it adds as a part of
what the original took: 116 to 128 s where that was 197 s, on documents; 72 and 108 s where it was 56 s, on prompts."""
MOST_PASSES, LEAST_PASS = 2.0, 0.1
"""Passes over prompts that recovery of a language model takes at most and at least."""
MOST_READ = 1.0
"""The same, at most, for documents: a second pass over 399 of them did harm, and the time is another body's."""
LEAST_LEARNED = 0.3
"""Passes below which layers or neurons of a language model that went are not made up for: not worth the minutes."""
SERVING = (40.0, 0.5)
"""The same for the settings of a language model's engine: timing them, and judging the best ones."""
SLOW = 300.0
"""Seconds of the original from which its candidates take no longer for it."""
TRAINING_COSTS = 3.2
"""How many times longer a row takes to learn from than to answer, until a first body has shown it."""
LANGUAGE_COSTS = 1.15
"""The same for a language model on documents: most of what an answer costs is the output layer, which is cut before it
learns; 430 s a pass over rows that took 600 s to answer, with 0.47 of the bytes."""
PROMPT_COSTS = 3.2
"""The same on prompts, of which an answer reads few probabilities: 306 s a pass where the answers took 152 s."""
TOGETHER = 60.0
"""Seconds of the last measurements, about."""


def takes(original: Candidate, seconds: tuple[float, float]) -> float:
    """Seconds that something takes: a fixed part, and a part of what the original took, within reason.

    What is made of a slow original, such as one in eager torch, is not as slow.
    """
    return seconds[0] + seconds[1] * min(original.seconds, SLOW)


def reserve_for_proof(run: Run, original: Candidate) -> float:
    """Seconds that the proof and the last measurements will take."""
    # A language model's original answers slowest; the finalists answer the same rows after it.
    times = 1.45 if run.task.language else 1.6
    seconds = len(run.parts.proof) * seconds_a_row(run, original) * times + TOGETHER
    return min(seconds, 0.5 * (run.options.seconds or float("inf")))


def proof_seconds(run: Run, original: Candidate, tested: Sequence[Candidate]) -> float:
    """Seconds that the proof of these candidates and the last measurements will take, from what each one took."""
    rows = len(run.parts.proof)
    return rows * sum(seconds_a_row(run, candidate) for candidate in (original, *tested)) + TOGETHER


def epochs_that_fit(
    run: Run, space: Space, original: Candidate, body: Body, *, reserve: float, dressings: int
) -> float | None:
    """Epochs of recovery that the time left allows a body: None for the default, 0 when not even one fits.

    A language model learns most from the first part of its text, so parts of an epoch count there.

    Args:
        reserve: seconds that are kept back. dressings: in how many the body will be measured.
    """
    language = run.task.language
    if run.clock.seconds is None:
        return None
    usual = max((float(getattr(cls(), "epochs", 1)) for cls in space.recovery), default=1.0)
    # What comes after the training: a language model is quantized in several ways, each calibrated and measured.
    after = 40.0
    if language:
        after = dressings * takes(original, LANGUAGE_DRESSING) + takes(original, SERVING)
    room = run.clock.left - reserve - after
    documents = asked_facts(run.task).get("evidence") == "documents"
    past = run.folder.study.recall("seconds per epoch and share", [])
    known = [seconds / (0.3 + 0.7 * share) for seconds, share in past]
    if not known or language:  # a training that ended early says too little of how long one takes
        answered = len(run.parts.train) * seconds_a_row(run, original)
        known.append((TRAINING_COSTS if not language else LANGUAGE_COSTS if documents else PROMPT_COSTS) * answered)
    each = max(known) * (0.3 + 0.7 * body.share)
    if language:
        most = MOST_READ if documents else MOST_PASSES
        parts = round(max(int(min(room / each, most) / LEAST_PASS) * LEAST_PASS, 0.0), 2)
        return 0 if body.wants_recovery and parts < LEAST_LEARNED else parts
    fit = int(room / each)
    return None if fit >= usual else max(fit, 0)


def training_seconds(run: Run, original: Candidate, candidate: Candidate) -> float:
    """Seconds of a candidate that its training took, from what all of it took."""
    if not run.task.language:
        return candidate.seconds
    # What comes after the training takes as long however little it was.
    return max(candidate.seconds - takes(original, LANGUAGE_DRESSING), 0.5 * candidate.seconds)
