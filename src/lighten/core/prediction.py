"""Prediction: what a model says of one input, as a user reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one input.

    Attributes:
        label: of the class or choice with the highest score, or the answer in words; empty where there is neither.
        scores: probability of every class or choice by label, they sum to 1; empty where there is nothing to choose.
        measures: what was measured of the input instead, by quantity: ``bits_per_byte`` of a document, say.
    """

    label: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As a plain dictionary, without what does not belong to its kind."""
        if self.measures:
            return dict(self.measures)
        return {"label": self.label, "scores": dict(self.scores)} if self.scores else {"answer": self.label}

    def line(self) -> str:
        """In one line."""
        if self.measures:
            return " ".join(f"{value:.4f}" for value in self.measures.values())
        return self.label if self.scores else " ".join(self.label.split())
