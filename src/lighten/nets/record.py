"""What the record of an artifact says of a live model that answers with a row of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

EMBEDDING = "embedding"
"""Key under which a record says how a vector is made, where the answer is one: its ``pooling``, whether it is
``normalized``, and its ``size``. What is made of the model keeps it."""


class Recorded(Protocol):
    """A live model: a network, or a graph made of one."""

    labels: tuple[str, ...]

    @property
    def meta(self) -> Mapping[str, Any]:
        """Of the artifact that it was opened from."""


def record(model: Recorded) -> dict[str, Any]:
    """Its labels, and how a vector is made where the answer is one."""
    kept = {EMBEDDING: model.meta[EMBEDDING]} if EMBEDDING in model.meta else {}
    return {"labels": list(model.labels), **kept}
