"""Dropout: one rate for every dropout of a network, while it trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def dropout(net: nn.Module, rate: float) -> Iterator[None]:
    """Set every dropout of ``net`` to ``rate`` inside."""
    before = [(m, m.p) for m in net.modules() if isinstance(m, nn.Dropout)]
    for module, _ in before:
        module.p = rate
    try:
        yield
    finally:
        for module, rate_before in before:
            module.p = rate_before
