"""Answers that a classifier may not give: labels, labels that exclude each other, labels of which it is too unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from lighten.core.errors import UnknownName
from lighten.core.guard import REPLACE, AnswerGuard, GuardError
from lighten.core.prediction import Prediction
from lighten.core.step import setting

BETWEEN = ", "
"""What stands between the labels of several tasks (see ``Prediction.label``)."""


@dataclass(frozen=True)
class Answers(AnswerGuard):
    """Stops answers by their labels and their probabilities."""

    labels: tuple[str, ...] = setting((), "The only labels that may be answered; all when empty.")
    exclude: tuple[tuple[str, ...], ...] = setting((), "Lists of labels that may not be answered together, or alone.")
    floor: float = setting(0.0, "Least probability of a label that is answered.", unit="fraction", low=0.0, high=1.0)
    floors: tuple[tuple[str, float], ...] = setting((), "A table: the same for single labels, in place of floor.")
    fallback: str = setting("", "What is answered instead, where the action is replace; any text.")

    def check(self) -> None:
        """See :meth:`Guard.check`."""
        super().check()
        if (self.action == REPLACE) is not bool(self.fallback):
            allowed = f'action = "{REPLACE}" and fallback = "...", both or neither'
            raise GuardError("An answer is replaced by a fallback.", allowed=allowed)
        if not (self.labels or self.exclude or self.floor or self.floors):
            raise GuardError("It has no rule.", allowed="labels, exclude, floor, floors")
        if not all(isinstance(several, tuple) and several for several in self.exclude):
            raise GuardError("exclude is no list of lists of labels.", fix='exclude = [["spam", "urgent"]]')
        for label, least in self.floors:
            number = isinstance(least, int | float) and not isinstance(least, bool) and isfinite(least)
            if not number or not 0 <= least <= 1:
                raise GuardError(f"The floor of {label!r:.40} is {least!r:.40}.", allowed="a number from 0 to 1")

    def check_labels(self, labels: Sequence[str]) -> None:
        """See :meth:`AnswerGuard.check_labels`."""
        named = [*self.labels, *(one for several in self.exclude for one in several), *(one for one, _ in self.floors)]
        for label in named:
            if label not in labels:
                raise UnknownName("label of this model", str(label), labels)

    @property
    def instead(self) -> str:
        """See :attr:`AnswerGuard.instead`."""
        return self.fallback

    def stops(self, prediction: Prediction) -> bool:
        """See :meth:`AnswerGuard.stops`. Of several tasks, the answer of any one is enough."""
        scores = prediction.scores
        given = [prediction.label] if prediction.label in scores else prediction.label.split(BETWEEN)
        least = dict(self.floors)
        if self.labels and any(one not in self.labels for one in given):
            return True
        if any(set(several) <= set(given) for several in self.exclude):
            return True
        return any(scores.get(one, 1.0) < least.get(one, self.floor) for one in given)
