"""Runs hf folders as they are."""

from dataclasses import dataclass

from lighten.core.engine import Engine


@dataclass(frozen=True)
class Floaty(Engine):
    """Opens nothing."""

    consumes = ("hf",)
    stores = ("hf",)

    def version(self):
        return "floaty 1"

    def build(self, artifact, folder):
        return artifact.format

    def open(self, artifact, *, threads):
        raise NotImplementedError
