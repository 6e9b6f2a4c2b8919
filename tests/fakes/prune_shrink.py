"""Keeps a share of a network."""

from dataclasses import dataclass

from lighten.core.step import Step, setting


@dataclass(frozen=True)
class Shrink(Step):
    """Reshapes and wants recovery."""

    consumes = ("hf",)
    wants_recovery = True

    keep: float = setting(0.5, "Share that stays.", low=0.01, high=1.0, search=(0.5, 0.8, 0.65, 0.4, 0.3, 0.2, 0.1))
    note: str = setting("", "Any text.")
    even: bool = setting(True, "Evenly spaced.")
    seats: int = setting(4, "A count.", unit="seats", low=1)

    def check(self, facts):
        return "the network is one piece" if facts.get("solid") else ""

    def share(self, facts=None):
        return self.keep

    def run(self, model, needs):
        return model
