"""What the record of an artifact says of a live model that answers with a number for each class."""

from __future__ import annotations

from typing import Any, Protocol

from lighten.readers.text import Encoder


class Labelled(Protocol):
    """A live model with a tokenizer and named classes: a network, or a graph made of one."""

    labels: tuple[str, ...]
    encoder: Encoder


def record(model: Labelled) -> dict[str, Any]:
    """Its labels and the most tokens of a text that it reads."""
    return {"labels": list(model.labels), "max_tokens": model.encoder.max_tokens}
