"""Train a language model on texts: batches of similar length, the head only where a token is learnt."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from lighten.core.errors import StepFailed
from lighten.core.language import BETWEEN_SHOTS
from lighten.core.rows import Rows
from lighten.core.step import Needs, Watch
from lighten.core.task import Task
from lighten.nets.language.prefix_windows import WindowsPrefix
from lighten.nets.training.dropout import dropout
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.learning import LearningPart, quick
from lighten.nets.training.loop import train
from lighten.nets.training.optimizer import WIDTH, Descent, width_of
from lighten.nets.training.order import drawn
from lighten.nets.training.precision import autocast_dtype
from lighten.nets.training.prefix import PrefixCache, no_room
from lighten.nets.training.schedule import LAST, TAKE_BACK, Hyperparameters, Schedule, Score
from lighten.nets.training.trainable import Batch, Trainable

if TYPE_CHECKING:
    from lighten.nets.language.network import LanguageNetwork

PIECE, NUMBERS = 256, 1 << 24
"""Places whose logits are held at a time, at most, and numbers that these are, about: 64 MiB, several times over."""

MOST_CHECKS, LEAST_CHECKS = 8, 2
"""How often texts that are held out are scored while it learns."""
CHECKING = 0.1
"""Share of the time that this may take, about; a token costs three times as much to learn as to score."""
PATIENCE = 3
"""Checks in a row that nothing was gained at, after which the training ends."""
SCORED = 32
"""Windows that are scored, at most."""
WARMUP = 0.05
WINDOW = 512
"""Tokens of a window, and of an update, where nothing else is said."""
BETAS = (0.9, 0.95)

Window = list[int]
Lesson = Callable[[nn.Module, list[Window], float], float]
"""Adds the gradients of a batch's mean loss, times a weight, to a network; returns the loss, in nats per token."""
PlaceLoss = Callable[[Tensor, Tensor, slice], Tensor]
"""Logits [places, tokens], next tokens [places] and where in the batch these places are, to the sum of the losses."""


@dataclass(frozen=True, slots=True)
class LanguageSchedule:
    """How a language model is trained.

    Attributes:
        passes: over the texts; parts of a pass are allowed.
        rate: peak learning rate of AdamW. tokens: per update, about. longest: tokens of a window.
        clip: largest norm of the gradient. decay: of matrices. smoothing: share of each token spread over all others.
        dropout: rate of every dropout in the network while it trains. freeze, rank: see :class:`Schedule`.
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


class TextTraining(Trainable):
    """A language model beside texts to learn from, and texts that are only scored.

    Held-out texts are scored now and then. Where they got worse since the best check, the weights of that check come
    back and the learning rate falls; so what is learned is never worse on them than what was there before. With another
    lesson it goes on: nearer to a teacher is not always nearer to the text.

    Args:
        texts: to learn from. held: texts that are only scored.
        parameters: what is trained; all when None.
        lesson: what is learnt of a batch; the next token when None.
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
        lesson: Lesson | None = None,
        precision: str = "fp32",
        seed: int = 0,
    ) -> None:
        self.net, self.seed = network.net, seed
        found = [one for one in _numbered(network, texts, schedule.longest) if texts[one[0]]]
        self.windows: list[Window] = [window for _, window in found]
        self._of = [number for number, _ in found]
        if not self.windows:
            raise StepFailed(
                "The texts to train on have nothing to learn from.", allowed="texts of two tokens at least"
            )
        self.scored = windows(network, held, schedule.longest)[:SCORED]
        self.judged = len(self.scored)
        self._own_lesson = lesson
        self._precision = precision
        self._prefix: WindowsPrefix | None = None
        self._chosen = None if parameters is None else {id(parameter) for parameter in parameters}
        self._follow(schedule)

    def _follow(self, schedule: LanguageSchedule, *, holds_out: bool = True) -> None:
        """Take over how it is trained."""
        self.asked = schedule
        self.lesson = self._own_lesson or learn_next(schedule.smoothing)
        takes_back = bool(self.scored) and self._own_lesson is None and holds_out
        self.schedule = Schedule(
            epochs=schedule.passes,
            learning_rate=schedule.rate * width_of(self.net) / WIDTH,
            weight_decay=schedule.decay,
            warmup=WARMUP,
            shape="cosine",
            clip=schedule.clip,
            freeze=schedule.freeze,
            rank=schedule.rank,
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
        self.settle(asked, max(schedule.tokens // schedule.longest, 1))

    @property
    def batch(self) -> int:
        """Tokens of its windows."""
        return self.asked.tokens

    def batches(self, epoch: int, seed: int) -> list[list[int]]:
        """Windows of similar length together, shuffled; of a part of a pass, some of them."""
        return batches_of(self.windows, self.asked, epoch, seed)

    def size(self, batch: Batch) -> int:
        """Tokens that come after another one."""
        return sum(len(self.windows[row]) - 1 for row in batch)

    def planned(self) -> int:
        """Tokens, repeats counted; a part of a pass holds about that part of them."""
        return max(round(self.asked.passes * self.size(range(len(self.windows)))), 1)

    def backward(self, batch: Batch, weight: float) -> float:
        """See :meth:`Trainable.backward`."""
        with self._computing(batch):
            return self.lesson(self.net, [self.windows[row] for row in batch], weight)

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
        return Descent(self.net, schedule.learning_rate, schedule.weight_decay, schedule.clip, betas=BETAS, lazy=False)

    def choose_precision(self, threads: int) -> None:
        """What was asked for, or what the clock says."""
        self.dtype = autocast_dtype(self.net, threads, asked=self._precision)

    def weights(self) -> dict[str, Tensor]:
        """The parameters that are trained."""
        return {name: one.detach() for name, one in self.net.named_parameters() if one.requires_grad}

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """In training mode, all but what is trained frozen."""
        for parameter in self.net.parameters():
            parameter.requires_grad_(self._chosen is None or id(parameter) in self._chosen)
        try:
            with dropout(self.net, self.asked.dropout), self.part.prepared():
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
    lesson: Lesson | None = None,
) -> list[float]:
    """Train in place on next tokens: see :class:`TextTraining` and :func:`loop.train`.

    Returns:
        Nats per token on ``held``, each time it was scored, the first time before the training.

    Raises:
        StepFailed: the loss became infinite or NaN, or no text has a token after another one.
    """
    work = TextTraining(network, texts, held, schedule, parameters=parameters, lesson=lesson, seed=seed)
    return [point.score.loss for point in train(work, seed=seed, threads=threads, watch=watch).points]


def learn(network: LanguageNetwork, needs: Needs, schedule: LanguageSchedule, **more: Any) -> list[float]:
    """Train on the task's training texts, prompts with their answers or choices; see :func:`fit_language`."""
    assert needs.train is not None and needs.tune is not None
    texts, held = (texts_of(rows, needs.task) for rows in (needs.train, needs.tune))
    return fit_language(
        network, texts, held, schedule, seed=needs.seed, threads=needs.threads, watch=needs.watch, **more
    )


READING = 0.25
"""Part of the rate at which a language model reads on: 0.3 passes over documents lower the bits per byte of others,
after a cut of the vocabulary, by 5.4 % at a peak of 6e-5 and 8.5 % at 1.5e-5 (films, Gemma 270M); of editorials, which
it knows better, by 4.1 % at 1e-5 and 3.3 % at 3e-5, and at 1e-4 it forgets."""
RATE, FRESH_RATE = 1e-4, 1e-3
"""Peak learning rates of a network 384 wide, of weights that have learned and of random ones."""
USUAL, FRESH, MOST = 1.0, 10.0, 10.0
"""Passes over weights that have learned, and over random ones; and how many times more where time bounds them."""


def rate_of(net: nn.Module, task: Task, base: float) -> float:
    """Peak learning rate of a network of its width, on what a task has it learn. base: of a network 384 wide."""
    return base * (WIDTH / width_of(net)) * (READING if task.facts.get("evidence") == "documents" else 1.0)


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
    )


def learning_part(net: Any, freeze: str, rank: int, seed: int) -> LearningPart:
    """What of a language model learns; of changes of low rank nothing else: its head has learned.

    Raises:
        InputError: see :class:`LearningPart`.
    """
    return LearningPart(
        net, tuple(net.model.layers), lambda: net(input_ids=torch.tensor([[0, 1]]), use_cache=False).logits,
        freeze=freeze, rank=rank, seed=seed, whole=False,
    )  # fmt: skip


def texts_of(rows: Rows, task: Task) -> list[str]:
    """What a language model learns from: documents, or prompts with what should follow them, as they are asked.

    Where examples stand before every prompt, as many rows follow one another: each is learned behind others, and is one
    for those behind it, at the price of a single row. Learned one by one, 1,687 film reviews took a model that is
    right on 88 % behind eight examples to 76 %; learned one after the other, to 89 %.
    """
    before = len(str(getattr(task, "prefix", "")))
    found: list[str] = []
    text = ""
    for row in _rows_of(rows, task):
        text = text.rstrip("\n") + BETWEEN_SHOTS + row if text else row
        if len(text) >= before:
            found.append(text)
            text = ""
    return [*found, text] if text else found


def _rows_of(rows: Rows, task: Task) -> list[str]:
    choices = getattr(task, "choices", ())
    if choices:
        return [prompt + choices[target] for prompt, target in zip(rows.texts, rows.targets, strict=True)]
    if rows.references:
        until = str(getattr(task, "until", ""))
        joined = zip(rows.texts, rows.references, strict=True)
        return [f"{prompt}{'' if prompt[-1:].isspace() else ' '}{answer}{until}" for prompt, answer in joined]
    return list(rows.texts)


def windows(network: LanguageNetwork, texts: Sequence[str], longest: int) -> list[Window]:
    """Texts as token ids in windows of at most ``longest``, the start token at the front of each."""
    return [window for _, window in _numbered(network, texts, longest)]


def _numbered(network: LanguageNetwork, texts: Sequence[str], longest: int) -> Iterator[tuple[int, Window]]:
    """Each window, with the number of its text."""
    before, _ = network.tokens.around
    room = longest - before
    for number, ids in enumerate(network.tokens(texts)):
        start, rest = ids[:before], ids[before:]
        for begin in range(0, len(rest), room):
            piece = [*start, *rest[begin : begin + room]]
            if len(piece) > 1:
                yield number, piece


def nats_per_token(net: nn.Module, rows: Sequence[Sequence[int]]) -> float:
    """Mean cross entropy of the next token over windows, without training."""
    nats, count = 0.0, 0
    with torch.inference_mode():
        for row in rows:
            logits, targets = _at_targets(net, [list(row)])
            nats += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            count += len(targets)
    return nats / max(count, 1)


def planned(rows: list[Window], schedule: LanguageSchedule, seed: int) -> list[list[Window]]:
    """Batches in the order of the training: lengths alike within one, the batches shuffled."""
    found = (batches_of(rows, schedule, epoch, seed) for epoch in range(math.ceil(schedule.passes)))
    return [[rows[row] for row in batch] for batches in found for batch in batches]


def batches_of(rows: Sequence[Window], schedule: LanguageSchedule, epoch: int, seed: int) -> list[list[int]]:
    """Numbers of the windows of each batch of one pass, or of the part of it that is left of the schedule."""
    rng, order = drawn(seed, epoch), list(range(len(rows)))
    rng.shuffle(order)
    left = max(min(schedule.passes - epoch, 1.0), 0.0)
    found = list(_batches(rows, order[: math.ceil(left * len(rows))], schedule.tokens))
    rng.shuffle(found)
    return found


def _batches(rows: Sequence[Window], chosen: Sequence[int], tokens: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in sorted(chosen, key=lambda row: len(rows[row])):
        if batch and (len(batch) + 1) * len(rows[row]) > tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def next_token(net: nn.Module, batch: list[Window], weight: float = 1.0) -> float:
    """Gradients of the mean cross entropy of the next token; see :data:`Lesson`."""
    return learn_next()(net, batch, weight)


def learn_next(smoothing: float = 0.0) -> Lesson:
    """The next token by cross entropy, of which ``smoothing`` is spread over all tokens."""

    def loss(logits: Tensor, targets: Tensor, _: slice) -> Tensor:
        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)

    return lambda net, batch, weight: descend(net, batch, loss, weight)


def descend(net: nn.Module, batch: list[Window], loss: PlaceLoss, weight: float = 1.0) -> float:
    """Gradients of the mean loss of a batch, times ``weight``; the head is computed for some places at a time, to need
    little memory. Returns the mean loss."""
    hidden, targets = hidden_at_targets(net, batch)
    cut = hidden.detach().requires_grad_(True)
    total, at_once, head = 0.0, places_at_once(net), _head(net)
    for begin in range(0, len(targets), at_once):
        places = slice(begin, begin + at_once)
        mean = loss(head(cut[places]).float(), targets[places], places) / len(targets)
        (mean * weight).backward()
        total += float(mean.detach())
    assert cut.grad is not None
    hidden.backward(cut.grad)
    return total


def _head(net: Any) -> Callable[[Tensor], Tensor]:
    """The head; one that does not learn is cast once for all pieces of a batch, as autocast does with those that do."""
    weight: Tensor = net.lm_head.weight
    if weight.requires_grad or not torch.is_autocast_enabled("cpu"):
        own: Callable[[Tensor], Tensor] = net.lm_head
        return own
    cast, bias = weight.to(torch.get_autocast_dtype("cpu")), net.lm_head.bias
    return lambda hidden: torch.nn.functional.linear(hidden, cast, bias)


def places_at_once(net: nn.Module) -> int:
    """Places whose logits are held at a time: fewer where the vocabulary is large."""
    return max(min(PIECE, NUMBERS // int(net.config.vocab_size)), 8)


def _at_targets(net: nn.Module, batch: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    hidden, targets = hidden_at_targets(net, batch)
    return net.lm_head(hidden), targets


def hidden_at_targets(net: nn.Module, batch: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the head reads at every place that has a next token: [places, width], and these tokens [places]."""
    longest = max(map(len, batch))
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    targets = torch.full((len(batch), longest), -100)
    for i, row in enumerate(batch):
        ids[i, : len(row)] = torch.tensor(row)
        targets[i, : len(row) - 1] = torch.tensor(row[1:])
    # No attention mask: places after the end of a row come later than all that is learnt, and look back only.
    output: Any = net.model(input_ids=ids, use_cache=False)
    wanted = targets != -100
    return output.last_hidden_state[wanted], targets[wanted]
