"""Schedule: how to train, how far a training is, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

BEST, LAST, TAKE_BACK = "best", "last", "take back"
"""Which weights are kept; see :class:`Schedule`."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to train.

    Attributes:
        epochs: passes over the rows; parts of one are allowed.
        learning_rate: peak; for rows with an answer each, of a network 384 wide (see ``optimizer.WIDTH``).
        batch_rows: rows per update.
        weight_decay: of matrices.
        warmup: share of the training in which the rate rises; then it falls to 0.
        shape: in which it falls, ``linear`` or ``cosine``.
        clip: largest gradient norm.
        dropout: rate of every dropout in the network while it trains.
        label_smoothing: share of each label that is spread over all classes.
        freeze: what stays as it is: ``embeddings``, a number of blocks, ``all`` but the head; empty for nothing.
        rank: of the changes that the linear layers learn beside their weights; 0 where the weights learn themselves.
        optimizer: ``adamw``, or ``muon`` for the matrices of blocks and ``adamw`` for the rest.
        patience: evaluations in a row without a better one before it stops.
        keep: ``best`` on ``tune``, or the ``last`` weights: towards a teacher, at a falling rate, every update is
            expected to help, and to choose by a few hundred rows of ``tune`` is to choose by chance. ``take back``
            undoes what made ``tune`` worse, and goes on from there at a lower rate.
        holds_out: whether ``tune`` judges what is learned; where it is learned from, too, the last weights are kept.
    """

    epochs: float = 3
    learning_rate: float = 1e-4
    batch_rows: int = 32
    weight_decay: float = 0.01
    warmup: float = 0.1
    shape: str = "linear"
    clip: float = 1.0
    dropout: float = 0.0
    label_smoothing: float = 0.0
    freeze: str = ""
    rank: int = 0
    optimizer: str = "adamw"
    patience: int = 4
    keep: str = BEST
    holds_out: bool = True


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a user says of a training. What is None is left to what suits the kind of network.

    Attributes:
        epochs: passes over the rows; of a training that is bounded by time, the most.
        learning_rate: peak, as it is, whatever the width of the network.
        batch_rows: rows per update; of texts that are learned token by token, as many full windows.
        precision: ``auto``, ``fp32`` or ``bf16``.
        augment: ``auto``, ``off``, or variations of the reader (see ``Reader.augmented``).
        harden: how far inputs are moved against the network while it learns, a share (see ``attack``); 0: not at all.
        lesson: file of what a teacher says of the training rows (``lesson.Lesson``); empty without.
        from_scratch: whether the weights are random at first.
        timed: whether time bounds the training, so that the number of passes is the most.
        workers: processes that train together; an update learns from the batch of each.
        holds_out: see :class:`Schedule`.
        lora: rank of the changes that the linear layers learn; 0 where the weights learn themselves.
        others: see :class:`Schedule`.
    """

    epochs: float | None = None
    learning_rate: float | None = None
    batch_rows: int | None = None
    weight_decay: float | None = None
    dropout: float = 0.0
    label_smoothing: float = 0.0
    freeze: str = ""
    precision: str = "auto"
    augment: str = "auto"
    lesson: str = ""
    harden: float = 0.0
    from_scratch: bool = False
    timed: bool = False
    workers: int = 1
    holds_out: bool = True
    lora: int = 0
    optimizer: str = "adamw"

    def together(self, usual: int) -> int:
        """Rows, or windows, of an update of all workers. usual: of one, where nothing is said."""
        return (self.batch_rows or usual) * self.workers

    def passes(self, usual: float, fresh: float, most: float) -> float:
        """How many passes are made at most.

        Args:
            usual: over weights that have learned already; fresh: over random ones; most: where time bounds it.
        """
        if self.epochs is not None:
            return self.epochs
        return most * (fresh if self.from_scratch else usual) if self.timed else fresh if self.from_scratch else usual


@dataclass(frozen=True, slots=True)
class Score:
    """What a network is worth on ``tune``.

    Attributes:
        quality: higher is better: the share of rows that it answers right, or minus the nats of a token.
        loss: decides between equals, lower is better.
    """

    quality: float
    loss: float

    def beats(self, other: Score | None) -> bool:
        """Whether it is better; anything is better than nothing, and any number than what is none."""
        return other is None or self._rank > other._rank

    @property
    def _rank(self) -> tuple[float, float]:
        quality, loss = (-math.inf if math.isnan(one) else one for one in (self.quality, -self.loss))
        return quality, loss


@dataclass(frozen=True, slots=True)
class Point:
    """One evaluation on ``tune``. fraction: of the training that was planned then. updates, rows: done so far."""

    fraction: float
    updates: int
    rows: int
    score: Score


@dataclass
class State:
    """How far a training is: all that must be known to go on, beside weights, moments and random states.

    Attributes:
        epoch, batch: of the next update. updates: done so far.
        rows: learned from, repeats counted: rows with an answer each, or tokens.
        end: rows after which it ends. interval: rows between two evaluations. due: rows before the next one.
        fallen: share of the fall of the rate that is behind it. factor: what is left of the rate after setbacks.
        setbacks: how often it came apart and went back.
        piece: most rows of a batch that are computed at once; 0 for all.
        recompute: whether blocks are computed again on the way back, which takes less memory.
        prefix: whether batches begin from what frozen blocks put out, computed once.
        seconds: spent in updates, evaluations left out.
        idle: evaluations in a row without a better one. points: all evaluations; best: the best of them.
        over: whether it has ended. notes: what went otherwise than planned, one sentence each.
        spent: seconds by the clock, all sittings together. deaths: of sittings, for want of memory.
        told: what those who hear of updates keep here to go on, as plain values.
    """

    epoch: int = 0
    batch: int = 0
    updates: int = 0
    rows: int = 0
    end: int = 0
    interval: float = math.inf
    due: float = math.inf
    fallen: float = 0.0
    factor: float = 1.0
    setbacks: int = 0
    piece: int = 0
    recompute: bool = False
    prefix: bool = False
    seconds: float = 0.0
    idle: int = 0
    points: list[Point] = field(default_factory=list)
    best: Score | None = None
    over: bool = False
    notes: list[str] = field(default_factory=list)
    spent: float = 0.0
    deaths: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def fraction(self) -> float:
        """Share of the training that is done."""
        return min(self.rows / self.end, 1.0) if self.end else 1.0

    def rate(self, schedule: Schedule, coming: int) -> float:
        """Share of the peak learning rate for an update of ``coming`` rows."""
        rise = schedule.warmup * self.end
        if self.rows < rise:
            return self.factor * min((self.rows + coming) / rise, 1.0)
        left = 1.0 - self.fallen if schedule.shape == "linear" else 0.5 * (1.0 + math.cos(math.pi * self.fallen))
        return self.factor * left

    def advance(self, schedule: Schedule, learned: int) -> None:
        """Count an update; the rate falls towards 0 at the end, wherever the end moves."""
        left = self.end - self.rows
        if self.rows >= schedule.warmup * self.end and left > learned:
            self.fallen += (1.0 - self.fallen) * learned / left
        self.rows += learned
        self.updates += 1

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats keep every bit."""
        return {name: None if value == math.inf else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> State:
        """What :meth:`to_json` gave.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        values = {one.name: record[one.name] for one in fields(cls)}
        values |= {name: math.inf for name in ("interval", "due") if values[name] is None}
        values["points"] = [Point(**{**one, "score": Score(**one["score"])}) for one in record["points"]]
        values["best"] = Score(**record["best"]) if record["best"] else None
        return cls(**values)


@dataclass
class Trained:
    """What became of a training.

    Attributes:
        rows: that were learned from, repeats counted: rows with an answer each, or tokens of texts.
        seconds: spent in updates, evaluations left out.
        updates, planned: done, and rows that were planned.
        points: every evaluation on ``tune``. best: that of the weights that were kept.
        precision: what was computed with, ``fp32`` or ``bf16``.
        notes: what went otherwise than planned, one sentence each.
    """

    rows: int = 0
    seconds: float = 0.0
    updates: int = 0
    planned: int = 0
    points: list[Point] = field(default_factory=list)
    best: Score | None = None
    precision: str = "fp32"
    notes: list[str] = field(default_factory=list)

    @property
    def rows_per_second(self) -> float:
        """Training speed."""
        return self.rows / self.seconds if self.seconds else 0.0
