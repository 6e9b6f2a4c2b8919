"""Trains back in the old way."""

from dataclasses import dataclass

from lighten.core.step import Step


@dataclass(frozen=True)
class Copy(Step):
    """Recovers, where nothing better does."""

    consumes = ("hf",)
    needs = frozenset({"train", "teacher"})

    def run(self, model, needs):
        return model
