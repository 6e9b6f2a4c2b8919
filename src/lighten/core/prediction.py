"""Prediction: what a model says of one input, as a user reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one input.

    Attributes:
        label: of the class or choice with the highest score, or the answer in words; empty where there is neither. Of
            several tasks, that of each one, with commas between.
        scores: probability of every class or choice by label; those of a task sum to 1. Empty where there is nothing to
            choose.
        vector: of what is embedded; empty where nothing is. size: tokens that were read for it, 0 where nobody counted.
        measures: what was measured of the input instead, by quantity: ``bits_per_byte`` of a document, say.
        file: path of the file that was asked; empty where the input is none of its own.
    """

    label: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    file: str = ""
    vector: Sequence[float] | NDArray[Any] = field(default=(), compare=False)
    size: int = 0

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary, without what does not belong to its kind."""
        asked = {"file": self.file} if self.file else {}
        if len(self.vector):
            return {**asked, "embedding": list(map(float, self.vector))}
        if self.measures:
            return {**asked, **self.measures}
        if self.scores:
            return {**asked, "label": self.label, "scores": dict(self.scores)}
        return {**asked, "answer": self.label}

    def line(self, *, named: bool = False) -> str:
        """In one line.

        Args:
            named: with the file before it and a tab between, as where several were asked.
        """
        if named and self.file:
            return f"{' '.join(self.file.splitlines())}\t{self.line()}"
        if len(self.vector):
            return " ".join(f"{value:.6f}" for value in self.vector)
        if self.measures:
            return " ".join(f"{value:.4f}" for value in self.measures.values())
        return self.label if self.scores else " ".join(self.label.split())
