"""Texts of which a classifier says one label, surely enough: any that lighten serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lighten.core.errors import UnknownName
from lighten.core.guard import GuardError, ModelGuard
from lighten.core.prediction import Prediction
from lighten.core.step import setting


@dataclass(frozen=True)
class Classifier(ModelGuard):
    """Stops texts to which a classifier gives a label with a probability of ``threshold`` at the least."""

    label: str = setting("", "The label that is stopped.")
    threshold: float = setting(0.5, "Least probability of it.", unit="fraction", low=0.0, high=1.0)

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if not self.label:
            raise GuardError("It names no label.", fix='label = "toxic"')

    def check_labels(self, labels: Sequence[str]) -> None:
        """See :meth:`ModelGuard.check_labels`."""
        if self.label not in labels:
            raise UnknownName(f"label of {self.model}", self.label, labels)

    def stops(self, prediction: Prediction) -> bool:
        """See :meth:`ModelGuard.stops`."""
        return prediction.scores.get(self.label, 0.0) >= self.threshold
