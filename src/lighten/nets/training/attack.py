"""Attack: inputs moved a little, where that raises the loss the most, to learn from and to be judged under.

Inputs that are amounts, such as pixels, are moved by projected gradient descent (Madry et al. 2018) from a random
start; of tokens, whose ids are no amounts, the embeddings are moved by one step along the gradient (Miyato et al.
2017). How far is a share: of the range of an input, or of the length of all of a row's embeddings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lighten.core.errors import StepFailed
from lighten.core.rows import Rows
from lighten.core.task import Task
from lighten.data.buckets import batches_by_size
from lighten.nets.forward import tensors
from lighten.nets.network import Network
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.optimizer import words_of
from lighten.nets.training.precision import using_threads

STEPS, STRIDE = 4, 0.5
"""Steps of the descent, and how far each goes, as a share of the whole way."""
BATCH = 64
"""Rows that are attacked at a time where a model is judged."""

LossOf = Callable[[Tensor], Tensor]
"""Outputs [rows, columns] of one batch to its mean loss."""


class Attack(ABC):
    """Moves what a network reads by up to ``radius``, a share."""

    def __init__(self, radius: float) -> None:
        self.radius = radius

    @abstractmethod
    def outputs(self, network: Network, arrays: Mapping[str, Tensor], loss: LossOf) -> Tensor:
        """Outputs [rows, columns] for inputs that were moved so that ``loss`` of the outputs rises."""


class AmountAttack(Attack):
    """Moves inputs that are amounts.

    Args:
        ranges: the least and the greatest value of each channel, by the name of the input (see ``Reader.ranges``).
    """

    def __init__(self, radius: float, ranges: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> None:
        super().__init__(radius)
        self._ranges = {
            name: (torch.from_numpy(np.array(low)), torch.from_numpy(np.array(high)))
            for name, (low, high) in ranges.items()
        }

    def outputs(self, network: Network, arrays: Mapping[str, Tensor], loss: LossOf) -> Tensor:
        """See :meth:`Attack.outputs`."""
        bounds = {name: self._bounds(name, arrays[name]) for name in self._ranges}
        ways = {name: torch.rand_like(arrays[name]).mul_(2).sub_(1).mul_(far) for name, (far, _, _) in bounds.items()}
        with eval_mode(network.net):
            for _ in range(STEPS):
                moved = {name: self._moved(arrays[name], ways[name], bounds[name]).requires_grad_() for name in ways}
                found = torch.autograd.grad(loss(network.outputs({**arrays, **moved})), list(moved.values()))
                for (name, way), slope in zip(ways.items(), found, strict=True):
                    far = bounds[name][0]
                    way.add_(slope.sign() * far * STRIDE).clamp_(-far, far)
        return network.outputs(
            {**arrays, **{name: self._moved(arrays[name], ways[name], bounds[name]) for name in ways}}
        )

    def _bounds(self, name: str, array: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How far it may be moved, and its least and greatest value: each [1, channels, 1, ...]."""
        low, high = (one.view(1, -1, *(1,) * (array.dim() - 2)) for one in self._ranges[name])
        return self.radius * (high - low), low, high

    @staticmethod
    def _moved(array: Tensor, way: Tensor, bounds: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        _, low, high = bounds
        return torch.minimum(torch.maximum(array + way, low), high).detach()


class EmbeddingAttack(Attack):
    """Moves the embeddings of tokens."""

    def outputs(self, network: Network, arrays: Mapping[str, Tensor], loss: LossOf) -> Tensor:
        """See :meth:`Attack.outputs`.

        Raises:
            StepFailed: the network has no embedding.
        """
        words = embedding_of(network.net)
        seen: list[Tensor] = []

        def noted(module: nn.Module, given: Any, found: Tensor) -> Tensor:
            seen.append(found.detach().requires_grad_())
            return seen[-1]

        with eval_mode(network.net), hooked(words, noted):
            slopes = torch.autograd.grad(loss(network.outputs(arrays)), seen)
        ways = [self._way(found.detach(), slope) for found, slope in zip(seen, slopes, strict=True)]

        def moved(module: nn.Module, given: Any, found: Tensor) -> Tensor:
            return found + ways.pop(0)

        with hooked(words, moved):
            return network.outputs(arrays)

    def _way(self, found: Tensor, slope: Tensor) -> Tensor:
        """Along the gradient, for each row a share of its length."""
        inner = tuple(range(1, found.dim()))
        length = torch.linalg.vector_norm(slope, dim=inner, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
        return slope / length * (self.radius * torch.linalg.vector_norm(found, dim=inner, keepdim=True))


def attack_on(network: Network, radius: float) -> Attack | None:
    """How what a network reads is moved; None for a radius of 0."""
    if not radius:
        return None
    ranges = network.reader.ranges()
    return AmountAttack(radius, ranges) if ranges else EmbeddingAttack(radius)


def attacked(
    network: Network, rows: Rows, task: Task, radius: float, *, seed: int, threads: int
) -> NDArray[np.float32]:
    """Outputs of a network for every row under attack, [n, columns]; each is moved so that it is answered wrongly."""
    attack = attack_on(network, radius)
    assert attack is not None
    examples = network.reader(rows.inputs)
    targets = torch.tensor(rows.targets)
    found = np.empty((len(rows), network.columns), np.float32)
    with using_threads(threads), torch.random.fork_rng(devices=[]), eval_mode(network.net):
        torch.manual_seed(seed)
        for batch in batches_by_size(network.reader, examples, BATCH):
            arrays = tensors(network.reader.batch([examples[row] for row in batch]))
            loss = partial(_loss, task, targets[batch])
            found[batch] = attack.outputs(network, arrays, loss).detach().numpy()
    return found


def _loss(task: Task, targets: Tensor, outputs: Tensor) -> Tensor:
    return task.loss(outputs, targets)


def embedding_of(net: nn.Module) -> nn.Embedding:
    """The word embedding of a network; the first embedding of one that does not say which it is.

    Raises:
        StepFailed: it has none.
    """
    found = words_of(net) or next((module for module in net.modules() if isinstance(module, nn.Embedding)), None)
    if found is None:
        raise StepFailed(
            "--harden was given, and the network has no embedding that could be moved.", fix="leave it out"
        )
    return found


@contextmanager
def hooked(module: nn.Module, hook: Callable[[nn.Module, Any, Tensor], Tensor]) -> Iterator[None]:
    """Inside, what a module puts out is replaced."""
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
