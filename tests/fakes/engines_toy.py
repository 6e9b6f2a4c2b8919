"""Runs flat files."""

from dataclasses import dataclass

from lighten.core.engine import Engine
from lighten.core.step import setting


@dataclass(frozen=True)
class Toy(Engine):
    """Opens nothing."""

    consumes = ("flat", "flat-small")
    stores = ("flat", "flat-small")

    streams: int = setting(1, "Streams.", low=1, high=8, search=(1, 2))
    pinned: bool = setting(False, "Pin threads.", search=(False, True))

    def version(self):
        return "toy 1"

    def build(self, artifact, folder):
        return artifact.format

    def open(self, artifact, *, threads):
        raise NotImplementedError
