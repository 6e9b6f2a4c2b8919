"""Tremor: what shook the ground, one cause for each trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lighten.tasks._classification import Classification


@dataclass(frozen=True)
class Tremor(Classification):
    """Exactly one cause for each trace."""

    models: ClassVar[str] = "a network of traces"
    kind: ClassVar[str] = "trace"

    @property
    def metrics(self) -> tuple[str, ...]:
        return (*super().metrics, "overlooked")
