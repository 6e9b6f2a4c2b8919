"""Schedule of a language model: how it is trained, and what suits it where nothing is asked."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from lighten.core.task import Task
from lighten.nets.training.optimizer import ADAMW, WIDTH, width_of
from lighten.nets.training.schedule import Hyperparameters

WINDOW = 512
"""Tokens of a window, and of an update, where nothing else is said."""
READING = 0.25
"""Part of the rate at which a language model reads on: 0.3 passes over documents lower the bits per byte of others,
after a cut of the vocabulary, by 5.4 % at a peak of 6e-5 and 8.5 % at 1.5e-5 (films, Gemma 270M); of editorials, which
it knows better, by 4.1 % at 1e-5 and 3.3 % at 3e-5, and at 1e-4 it forgets."""
RATE, FRESH_RATE = 1e-4, 1e-3
"""Peak learning rates of a network 384 wide, of weights that have learned and of random ones."""
USUAL, FRESH, MOST = 1.0, 10.0, 10.0
"""Passes over weights that have learned, and over random ones; and how many times more where time bounds them."""


@dataclass(frozen=True, slots=True)
class LanguageSchedule:
    """How a language model is trained.

    Attributes:
        passes: over the texts; parts of a pass are allowed.
        rate: peak learning rate of AdamW. tokens: per update, about. longest: tokens of a window.
        clip: largest norm of the gradient. decay: of matrices. smoothing: share of each token spread over all others.
        dropout: rate of every dropout in the network while it trains. freeze, rank, optimizer: see :class:`Schedule`.
    """

    passes: float
    rate: float
    tokens: int = WINDOW
    longest: int = WINDOW
    clip: float = 1.0
    decay: float = 0.0
    smoothing: float = 0.0
    dropout: float = 0.0
    freeze: str = ""
    rank: int = 0
    optimizer: str = ADAMW


def schedule_of(asked: Hyperparameters, usual: float) -> LanguageSchedule:
    """How a language model is trained as it is asked. usual: peak learning rate where nothing is asked."""
    longest = WINDOW
    return LanguageSchedule(
        asked.passes(USUAL, FRESH, MOST),
        usual if asked.learning_rate is None else asked.learning_rate,
        tokens=asked.together(4 if asked.from_scratch else 1) * longest,
        decay=asked.weight_decay or 0.0,
        smoothing=asked.label_smoothing,
        dropout=asked.dropout,
        freeze=asked.freeze,
        rank=asked.lora,
        optimizer=asked.optimizer,
    )


def rate_of(net: nn.Module, task: Task, base: float) -> float:
    """Peak learning rate of a network of its width, on what a task has it learn. base: of a network 384 wide."""
    return base * (WIDTH / width_of(net)) * (READING if task.facts.get("evidence") == "documents" else 1.0)
