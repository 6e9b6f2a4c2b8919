"""Eval mode: a network as it answers where it is used, for as long as it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(net: nn.Module) -> Iterator[None]:
    """Inside, nothing drops out and statistics of norms stay; afterwards the network is in the mode that it was in."""
    training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(training)
