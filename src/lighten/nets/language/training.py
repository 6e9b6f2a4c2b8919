"""Training of a language model on texts: batches of similar length, judged by texts that are only scored."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Watch
from lighten.nets.language.next_token import Objective, hidden_at_targets, nats_per_token, next_token
from lighten.nets.language.prefix_windows import WindowsPrefix
from lighten.nets.language.schedule import FRESH_RATE, RATE, LanguageSchedule, rate_of, schedule_of
from lighten.nets.language.texts import texts_of
from lighten.nets.language.windows import Window, batches_of, numbered_windows, windows
from lighten.nets.training.dropout import dropout
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.learning import LearningPart, quick
from lighten.nets.training.loop import train
from lighten.nets.training.optimizer import WIDTH, Descent, matrices_of, width_of
from lighten.nets.training.precision import autocast_dtype
from lighten.nets.training.prefix import PrefixCache, no_room
from lighten.nets.training.schedule import LAST, TAKE_BACK, Hyperparameters, Schedule, Score
from lighten.nets.training.trainable import Batch, Trainable

if TYPE_CHECKING:
    from lighten.nets.language.network import LanguageNetwork

MOST_CHECKS, LEAST_CHECKS = 8, 2
"""How often texts that are held out are scored while it learns."""
CHECKING = 0.1
"""Share of the time that this may take, about; a token costs three times as much to learn as to score."""
PATIENCE = 3
"""Checks in a row that nothing was gained at, after which the training ends."""
SCORED = 32
"""Windows that are scored, at most."""
WARMUP = 0.05
BETAS = (0.9, 0.95)


class TextTraining(Trainable):
    """A language model beside texts to learn from, and texts that are only scored.

    Held-out texts are scored now and then. Where they got worse since the best check, the weights of that check come
    back and the learning rate falls; so what is learned is never worse on them than what was there before. With another
    objective it goes on: nearer to a teacher is not always nearer to the text.

    Args:
        texts: to learn from. held: texts that are only scored.
        parameters: what is trained; all when None.
        objective: what is learnt of a batch; the next token when None.
        precision: ``fp32``, ``bf16``, or ``auto`` for what computes faster here.
        seed: of changes of low rank.

    Raises:
        StepFailed: no text has a token after another one. InputError: see :class:`LearningPart`.
    """

    noun: ClassVar[str] = "tokens"
    measure: ClassVar[str] = "nats_per_token"
    shares: ClassVar[bool] = False
    raced: bool = False

    def __init__(
        self,
        network: LanguageNetwork,
        texts: Sequence[str],
        held: Sequence[str],
        schedule: LanguageSchedule,
        *,
        parameters: Sequence[nn.Parameter] | None = None,
        objective: Objective | None = None,
        precision: str = "fp32",
        seed: int = 0,
    ) -> None:
        self.net, self.seed = network.net, seed
        found = [one for one in numbered_windows(network, texts, schedule.longest) if texts[one[0]]]
        self.windows: list[Window] = [window for _, window in found]
        self._of = [number for number, _ in found]
        if not self.windows:
            raise StepFailed(
                "The texts to train on have nothing to learn from.", allowed="texts of two tokens at least"
            )
        self.scored = windows(network, held, schedule.longest)[:SCORED]
        self.judged = len(self.scored)
        self._own_objective = objective
        self._precision = precision
        self._prefix: WindowsPrefix | None = None
        self._chosen = None if parameters is None else {id(parameter) for parameter in parameters}
        self._follow(schedule)

    def _follow(self, schedule: LanguageSchedule, *, holds_out: bool = True) -> None:
        """Take over how it is trained."""
        self.language_schedule = schedule
        self.objective = self._own_objective or next_token(schedule.smoothing)
        takes_back = bool(self.scored) and self._own_objective is None and holds_out
        self.schedule = Schedule(
            epochs=schedule.passes,
            learning_rate=schedule.rate * width_of(self.net) / WIDTH,
            weight_decay=schedule.decay,
            warmup=WARMUP,
            shape="cosine",
            clip=schedule.clip,
            freeze=schedule.freeze,
            rank=schedule.rank,
            optimizer=schedule.optimizer,
            patience=PATIENCE,
            keep=TAKE_BACK if takes_back else LAST,
            holds_out=holds_out,
        )
        self.part: LearningPart = learning_part(self.net, schedule.freeze, schedule.rank, self.seed)

    def again(self, asked: Hyperparameters) -> TextTraining:
        """See :meth:`Trainable.again`: the windows are those that were read."""
        other = copy(self)
        assert self.hyperparameters.learning_rate is not None
        other.ask(asked, self.hyperparameters.learning_rate)
        return other

    def ask(self, asked: Hyperparameters, usual: float) -> None:
        """Be trained as a user asks. usual: peak learning rate where nothing is asked."""
        schedule = schedule_of(asked, usual)
        self._follow(schedule, holds_out=asked.holds_out)
        self._precision = asked.precision
        matrices_of(self.net.model.layers, asked.optimizer)  # refused before anything is learned
        self.settle(asked, max(schedule.tokens // schedule.longest, 1))

    @property
    def batch(self) -> int:
        """Tokens of its windows."""
        return self.language_schedule.tokens

    def batches(self, epoch: int, seed: int) -> list[list[int]]:
        """Windows of similar length together, shuffled; of a part of a pass, some of them."""
        return batches_of(self.windows, self.language_schedule, epoch, seed)

    def size(self, batch: Batch) -> int:
        """Tokens that come after another one."""
        return sum(len(self.windows[row]) - 1 for row in batch)

    def planned(self) -> int:
        """Tokens, repeats counted; a part of a pass holds about that part of them."""
        return max(round(self.language_schedule.passes * self.size(range(len(self.windows)))), 1)

    def backward(self, batch: Batch, weight: float) -> float:
        """See :meth:`Trainable.backward`."""
        with self._computing(batch):
            return self.objective(self.net, [self.windows[row] for row in batch], weight)

    def computed(self, batch: Batch) -> Tensor:
        """See :meth:`Trainable.computed`."""
        with self._computing(batch):
            return hidden_at_targets(self.net, [self.windows[row] for row in batch])[0]

    def extent(self, row: int) -> int:
        """Tokens."""
        return len(self.windows[row])

    @contextmanager
    def _computing(self, batch: Batch) -> Iterator[None]:
        begun = self._prefix.given(batch) if self._prefix else nullcontext()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.dtype is not None), begun:
            yield

    def judge(self) -> Score:
        """Minus the nats of a token of the texts that are held out."""
        with eval_mode(self.net):
            nats = nats_per_token(self.net, self.scored)
        return Score(-nats, nats)

    def interval(self, end: int) -> float:
        """Evenly spread, so often that scoring takes a small part of the time."""
        tokens = sum(map(len, self.scored))
        many = min(max(int(CHECKING * 3 * end / max(tokens, 1)), LEAST_CHECKS), MOST_CHECKS)
        return max(end / many, 1.0)

    def optimizer(self) -> Descent:
        """AdamW."""
        schedule = self.schedule
        return Descent(
            self.net, schedule.learning_rate, schedule.weight_decay, schedule.clip, betas=BETAS, lazy=False,
            matrices=matrices_of(self.net.model.layers, schedule.optimizer),
        )  # fmt: skip

    def choose_precision(self, threads: int) -> None:
        """What was asked for, or what the clock says."""
        self.dtype = autocast_dtype(self.net, threads, wanted=self._precision)

    def weights(self) -> dict[str, Tensor]:
        """The parameters that are trained."""
        return {name: one.detach() for name, one in self.net.named_parameters() if one.requires_grad}

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """In training mode, all but what is trained frozen."""
        for parameter in self.net.parameters():
            parameter.requires_grad_(self._chosen is None or id(parameter) in self._chosen)
        try:
            with dropout(self.net, self.language_schedule.dropout), self.part.prepared():
                self.net.train()
                yield
        finally:
            self._prefix = None
            for parameter in self.net.parameters():
                parameter.requires_grad_(True)
            self.net.eval()

    def keep_prefix(self, decided: bool | None = None, seconds: float = math.inf, among: int = 1) -> bool:
        """See :meth:`Trainable.keep_prefix`. A single pass computes each window once by itself."""
        self._prefix = None
        if decided is False or not self.part.frozen:
            return False
        cache = self.cache or PrefixCache()
        found = WindowsPrefix(self.part, self.windows, torch.get_num_threads(), self.dtype)
        if decided is None and self.schedule.epochs <= 1 and not cache.knows(found.key):
            return False
        if found.fill(cache, seconds, among):
            self._prefix = found
        elif decided:
            raise no_room(cache.folder)
        return self._prefix is not None

    def sources(self, batch: Batch) -> list[int]:
        """Numbers of the texts that the windows of a batch come from."""
        return sorted({self._of[row] for row in batch})

    def told(self, score: Score) -> str:
        """Nats per token."""
        return f"held-out {score.loss:.3f} nats a token"


def fit_language(
    network: LanguageNetwork,
    texts: Sequence[str],
    held: Sequence[str],
    schedule: LanguageSchedule,
    *,
    seed: int,
    threads: int,
    watch: Watch,
    parameters: Sequence[nn.Parameter] | None = None,
    objective: Objective | None = None,
) -> list[float]:
    """Train in place on next tokens: see :class:`TextTraining` and :func:`loop.train`.

    Returns:
        Nats per token on ``held``, each time it was scored, the first time before the training.

    Raises:
        StepFailed: the loss became infinite or NaN, or no text has a token after another one.
    """
    work = TextTraining(network, texts, held, schedule, parameters=parameters, objective=objective, seed=seed)
    return [point.score.loss for point in train(work, seed=seed, threads=threads, watch=watch).points]


def learn(network: LanguageNetwork, needs: Needs, schedule: LanguageSchedule, **more: Any) -> list[float]:
    """Train on the task's training texts, prompts with their answers or choices; see :func:`fit_language`."""
    assert needs.train is not None and needs.tune is not None
    texts, held = (texts_of(rows, needs.task) for rows in (needs.train, needs.tune))
    return fit_language(
        network, texts, held, schedule, seed=needs.seed, threads=needs.threads, watch=needs.watch, **more
    )


def of_needs(network: LanguageNetwork, needs: Needs, asked: Hyperparameters) -> TextTraining:
    """A language model beside the training texts of a task, trained as a user asked.

    Raises:
        StepFailed: there is nothing to learn from.
    """
    if needs.train is None or needs.tune is None:
        raise StepFailed("Training needs texts to train and to tune on.")
    fresh = FRESH_RATE * WIDTH / width_of(network.net)
    usual = fresh if asked.from_scratch else rate_of(network.net, needs.task, RATE) * quick(asked.freeze, asked.lora)
    texts, held = (texts_of(rows, needs.task) for rows in (needs.train, needs.tune))
    work = TextTraining(network, texts, held, schedule_of(asked, usual), seed=needs.seed)
    work.ask(asked, usual)
    return work


def learning_part(net: Any, freeze: str, rank: int, seed: int) -> LearningPart:
    """What of a language model learns; of changes of low rank nothing else: its head has learned.

    Raises:
        InputError: see :class:`LearningPart`.
    """
    return LearningPart(
        net, tuple(net.model.layers), lambda: net(input_ids=torch.tensor([[0, 1]]), use_cache=False).logits,
        freeze=freeze, rank=rank, seed=seed, whole=False,
    )  # fmt: skip
