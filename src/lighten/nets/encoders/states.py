"""States: what the layers of a network put out while it answers, and how far two networks are apart there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from lighten.core.item import Item
from lighten.nets.encoders.walk import layer_list
from lighten.nets.forward import run
from lighten.nets.network import Network

ROOM = 1 << 30
"""Bytes of states that are kept; what does not fit is computed again whenever it is asked for."""


class States:
    """Hidden states and logits of a network for texts, computed when first asked for, kept in half precision.

    A teacher answers the same rows in every epoch and for every student, and that is a third of a training step.

    Attributes:
        examples: token ids of each text. lengths: tokens of each text, int64 [n].
    """

    def __init__(self, network: Network, texts: Sequence[Item], room: int = ROOM) -> None:
        self.network, self.room = network, room
        self.examples = network.reader.for_learning()(texts)
        self.lengths = torch.tensor([network.reader.size(example) for example in self.examples])
        self._kept: dict[int, tuple[list[Tensor], Tensor]] = {}
        network.net.eval()

    def __call__(self, rows: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """States of each layer, float32 [rows, tokens, hidden] (zeros where padded), and logits [rows, classes]."""
        fresh = self._computed([row for row in rows if row not in self._kept])
        found = [fresh[row] if row in fresh else self._kept[row] for row in rows]
        layers = zip(*(states for states, _ in found), strict=True)
        padded = [pad_sequence([state.float() for state in layer], batch_first=True) for layer in layers]
        return padded, torch.stack([logits for _, logits in found])

    def _computed(self, rows: Sequence[int]) -> dict[int, tuple[list[Tensor], Tensor]]:
        """States [tokens, hidden] and logits [classes] of each of ``rows``, kept while there is room."""
        if not rows:
            return {}
        network, fresh = self.network, {}
        with torch.no_grad(), network.shortcut(), recorded(network.net) as found:
            logits = run(network, [self.examples[row] for row in rows])
        for place, row in enumerate(rows):
            states = [state[place, : int(self.lengths[row])].half() for state in found]
            fresh[row] = (states, logits[place].clone())
            size = sum(state.numel() * state.element_size() for state in states)
            if size <= self.room:
                self.room -= size
                self._kept[row] = fresh[row]
        return fresh


@contextmanager
def recorded(net: nn.Module) -> Iterator[list[Tensor]]:
    """Inside, the list holds every layer's output of the last forward pass, [batch, tokens, hidden], first layer first.

    The last layer's is [batch, 1, hidden] where it answers from the first token.
    """
    states: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor | tuple[Tensor, ...]) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)

    def forget(*_: object) -> None:
        states.clear()

    hooks = [net.register_forward_pre_hook(forget), *(m.register_forward_hook(keep) for m in layer_list(net))]
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()


def counterparts(student: int, teacher: int) -> list[int]:
    """The teacher's layer for each of the student's: where the student is equally far through its layers.

    >>> counterparts(3, 6), counterparts(4, 6), counterparts(6, 6)
    ([1, 3, 5], [1, 2, 4, 5], [0, 1, 2, 3, 4, 5])
    """
    return [-(-(i + 1) * teacher // student) - 1 for i in range(student)]


def apart(student: Sequence[Tensor], teacher: Sequence[Tensor], lengths: Tensor) -> Tensor:
    """Squared difference of the states as a share of the teacher's square, mean over the student's layers: scalar.

    Args:
        student, teacher: as :func:`recorded` gives them, of the same batch and hidden size.
        lengths: tokens of each row, int64 [batch]; padding does not count.
    """
    total = torch.zeros(())
    for mine, place in zip(student, counterparts(len(student), len(teacher)), strict=True):
        theirs = teacher[place]
        real = torch.arange(mine.shape[1]) < lengths[:, None]
        theirs = theirs[:, : mine.shape[1]][real].float()
        total = total + (mine[real].float() - theirs).square().mean() / theirs.square().mean()
    return total / len(student)
