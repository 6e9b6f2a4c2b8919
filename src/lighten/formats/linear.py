"""Linear model of choices over n-grams, learned from the user's rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lighten.core.format import Format

if TYPE_CHECKING:
    from lighten.nets.baselines.linear import LinearModel


class Linear(Format):
    """Weights of n-grams for each choice; no step takes it."""

    tasks: ClassVar[tuple[str, ...]] = ("text_generation",)
    home: ClassVar[str] = "numpy"
    noun: ClassVar[str] = "a language model"
    baseline: ClassVar[bool] = True
    samples: ClassVar[bool] = False  # it ranks choices and writes nothing

    def save(self, model: LinearModel, folder: Path) -> Mapping[str, Any]:
        """See :meth:`Format.save`."""
        model.save(folder)
        return {"labels": []}
