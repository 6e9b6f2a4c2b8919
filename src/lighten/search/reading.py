"""How much of the user's inputs the model reads: counted before any time is spent, reported, and kept."""

from __future__ import annotations

from collections.abc import Callable

from lighten.core.artifact import Artifact
from lighten.core.coverage import LEARNT_FROM, Coverage, percent, sentences
from lighten.core.item import parted
from lighten.core.matching import format_of
from lighten.core.readers import reader_in
from lighten.core.rows import PART_NAMES, Parts


def coverage_of(model: str, artifact: Artifact, parts: Parts, note: Callable[[str], None]) -> dict[str, Coverage]:
    """How much a model reads of each part, where it does not read every input whole; what a user should know is said.

    Args:
        model: what the user calls it. note: told the sentences.
    """
    if not format_of(artifact).cuts:
        return {}
    reader = reader_in(artifact.path)
    counted = {name: reader.coverage(parted(parts[name].inputs)) for name in PART_NAMES}
    found = {name: one for name, one in counted.items() if one is not None}
    for sentence in sentences(found, model):
        note(sentence)
    long = reader.for_learning().coverage(parted(parts.train.inputs)) if found else None
    if long is not None and long.cut and long.limit < found["train"].limit:
        side = "last" if long.side == "left" else "first"
        share = percent(long.share_cut)
        note(LEARNT_FROM.format(cut=f"{long.cut:,}", share=share, side=side, learnt=long.limit))
    return found
