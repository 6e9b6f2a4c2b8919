"""Trains back."""

from dataclasses import dataclass

from lighten.core.step import Step, setting


@dataclass(frozen=True)
class Relearn(Step):
    """Recovers."""

    consumes = ("hf",)
    needs = frozenset({"train", "teacher"})

    supersedes = ("distill.copy",)

    epochs: int = setting(3, "Passes.", low=1, high=10)

    def check(self, facts):
        return "too hard" if facts.get("dense") else ""

    def run(self, model, needs):
        return model
