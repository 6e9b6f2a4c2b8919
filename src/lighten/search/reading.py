"""What the model reads of the user's texts: counted before any time is spent, said, and kept for the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lighten.core.coverage import LEARNT_FROM, Coverage, percent, sentences
from lighten.core.rows import PART_NAMES, Parts
from lighten.readers.text import LEARNT, Encoder


def coverage_of(model: str, folder: Path, parts: Parts, note: Callable[[str], None]) -> dict[str, Coverage]:
    """How much a classifier reads of each part; what a user should know is said.

    Args:
        model: what the user calls it. folder: of its artifact, with its tokenizer. note: told the sentences.
    """
    encoder = Encoder.open(folder)
    found = {name: encoder.coverage(parts[name].inputs) for name in PART_NAMES}
    for sentence in sentences(found, model):
        note(sentence)
    if encoder.max_tokens > LEARNT:
        long = encoder.for_learning().coverage(parts.train.inputs)
        if long.cut:
            side = "last" if encoder.side == "left" else "first"
            share = percent(long.share_cut)
            note(LEARNT_FROM.format(cut=f"{long.cut:,}", share=share, side=side, learnt=LEARNT))
    return found
