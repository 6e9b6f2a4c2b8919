"""Cheap baselines of language models: every kind of model over bytes, opened by what its record says it is."""

from __future__ import annotations

from pathlib import Path

from lighten.nets.baselines.byte_model import ByteModel, open_byte_model
from lighten.nets.baselines.counts import KneserNey
from lighten.nets.baselines.hmm import HiddenMarkov
from lighten.nets.baselines.lstm import ByteLstm

KINDS: tuple[type[ByteModel], ...] = (KneserNey, HiddenMarkov, ByteLstm)


def open_byte_lm(folder: Path) -> ByteModel:
    """The language model over bytes in ``folder``.

    Raises:
        ModelError: a file is missing, cut off or not what it should be.
    """
    return open_byte_model(folder, KINDS)
