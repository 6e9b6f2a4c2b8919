"""Small language model over bytes, learned from the user's rows: counts, a hidden Markov model, an LSTM."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.format import Format

if TYPE_CHECKING:
    from lighten.nets.baselines.byte_model import ByteModel


class ByteLm(Format):
    """The tables or weights of one of the models in ``nets.baselines``; no step takes it."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "numpy"
    noun: ClassVar[str] = "a language model"
    baseline: ClassVar[bool] = True
    bytewise: ClassVar[bool] = True

    def save(self, model: ByteModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        model.save(folder)
        return {"labels": []}
