"""What the record of an artifact says of a live model that answers with a number for each class."""

from __future__ import annotations

from typing import Any, Protocol


class Labelled(Protocol):
    """A live model with named classes: a network, or a graph made of one."""

    labels: tuple[str, ...]


def record(model: Labelled) -> dict[str, Any]:
    """Its labels."""
    return {"labels": list(model.labels)}
