"""Drops what no answer needs."""

from dataclasses import dataclass

from lighten.core.step import Step


@dataclass(frozen=True)
class Trim(Step):
    """Changes no answer."""

    consumes = ("hf",)
    lossy = False

    def run(self, model, needs):
        return model
