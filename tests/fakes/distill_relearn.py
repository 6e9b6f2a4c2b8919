"""Trains back."""

from dataclasses import dataclass

from lighten.core.step import Step, setting


@dataclass(frozen=True)
class Relearn(Step):
    """Recovers."""

    consumes = ("hf",)
    needs = frozenset({"train", "teacher"})

    epochs: int = setting(3, "Passes.", low=1, high=10)

    def run(self, model, needs):
        return model
