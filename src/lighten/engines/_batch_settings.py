"""Settings of engines for graphs: how much is computed at a time. Each engine has fields of its own for them."""

from __future__ import annotations

from lighten.core.step import setting


def streams_setting() -> int:
    """Batches side by side."""
    doc = "Batches computed at the same time; 0 for as many as threads."
    made: int = setting(0, doc, low=0, high=256, saves={"memory": (1,)})
    return made


def rows_setting() -> int:
    """Rows of a batch."""
    made: int = setting(32, "Most rows in a batch.", unit="rows", low=1, high=4096, saves={"memory": (16, 4)})
    return made


def tokens_setting() -> int:
    """Tokens of a batch."""
    doc = "Most tokens in a batch, padding included."
    made: int = setting(512, doc, unit="tokens", low=1, high=1_000_000, saves={"memory": (256, 64)})
    return made


def elements_setting() -> int:
    """Numbers of a batch of pictures, or of what else is not padded."""
    doc = "Most numbers in a batch of what is not padded, such as pictures."
    made: int = setting(600_000, doc, unit="numbers", low=1, high=100_000_000)
    return made
