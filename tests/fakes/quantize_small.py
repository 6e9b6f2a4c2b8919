"""Small numbers."""

from dataclasses import dataclass

from lighten.core.step import Step, setting


@dataclass(frozen=True)
class Small(Step):
    """From flat to flat-small."""

    consumes = ("flat",)
    produces = "flat-small"

    bits: int = setting(8, "Bits per number.", choices=(4, 8), search=(8, 4))

    def run(self, model, needs):
        return model
