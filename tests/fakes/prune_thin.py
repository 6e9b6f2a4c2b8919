"""Makes a network thinner."""

from dataclasses import dataclass

from lighten.core.step import Step, setting


@dataclass(frozen=True)
class Thin(Step):
    """Reshapes and wants recovery."""

    consumes = ("hf",)
    needs = frozenset({"train"})
    wants_recovery = True

    width: float = setting(1.0, "Share that stays.", low=0.01, high=1.0, search=(1.0, 0.75, 0.5, 0.35))

    def share(self, facts=None):
        return 0.2 + 0.8 * self.width

    def run(self, model, needs):
        return model
