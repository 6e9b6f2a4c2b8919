"""Network: the live float network of every kind of model that answers each item with a row of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lighten.core.errors import DataError, ModelError
from lighten.core.reader import Reader
from lighten.data.classes import match_classes
from lighten.data.labels import is_unnamed

PICTURES = 4
"""Dimensions of pictures in a batch, and of the weights of what is laid upon them."""
Shorten = Callable[[nn.Module], AbstractContextManager[Any]]
"""Makes a network compute less inside, for the same answers."""
Blocks = Callable[[nn.Module], Sequence[nn.Module]]
"""The blocks of a network in the order in which they are computed, each of which reads what the one before gave."""


def no_blocks(net: nn.Module) -> Sequence[nn.Module]:
    """Of a network whose blocks cannot be told apart."""
    return ()


@dataclass
class Network:
    """A float network in memory. Steps, the training loop and the exporter use nothing else of it.

    Attributes:
        net: a module that takes arrays by the names of the reader's inputs, and answers with a tensor or with
            ``logits`` (see :func:`logits_in`), such as ``BertForSequenceClassification``; float32, in eval mode. The
            weights of its convolutions are laid out channel by channel last, as its pictures are.
        reader: what turns items into its inputs.
        labels: names of the classes, in the order of the outputs; empty where its answer is a vector.
        has_head: False when the classification head is new, seeded and untrained.
        meta: of the artifact it was opened from.
        shorten: how its family computes the same answers with less; nothing for most.
        listed: finds the blocks of its family.
        size: numbers of its answer, where that is a vector; 0 for one of each class.
    """

    net: nn.Module
    reader: Reader[Any]
    labels: tuple[str, ...]
    has_head: bool = True
    meta: dict[str, Any] = field(default_factory=dict)
    shorten: Shorten = nullcontext
    listed: Blocks = no_blocks
    size: int = 0

    @property
    def columns(self) -> int:
        """Numbers of its answer to an item."""
        return self.size or len(self.labels)

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """Its blocks, the first one first; empty where they cannot be told apart."""
        return self.listed(self.net)

    def __post_init__(self) -> None:
        for weights in self.net.parameters():
            if weights.dim() == PICTURES:
                weights.data = channels_last(weights.data)

    def outputs(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Logits of one batch, float32 [rows, columns].

        Args:
            arrays: by the names of the inputs. Pictures are laid out channel by channel last, as convolutions compute
                them fastest.
        """
        given = {name: channels_last(array) if array.dim() == PICTURES else array for name, array in arrays.items()}
        return logits_in(self.net(**given)).float()

    def shortcut(self) -> AbstractContextManager[Any]:
        """Inside, the network computes no more than its answers need. Export and training may use it."""
        return self.shorten(self.net)


def channels_last(tensor: Tensor) -> Tensor:
    """The same [rows, channels, height, width], each place's channels side by side.

    ``contiguous`` alone leaves a single channel the strides that it has, and convolutions go by strides: in the other
    layout, one of a grey picture takes more than twice as long.
    """
    laid = tensor.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = laid.shape
    strides = (channels * height * width, 1, width * channels, channels)
    return laid if laid.stride() == strides else laid.as_strided(laid.shape, strides)


def logits_in(answered: Any) -> Tensor:
    """The outputs [rows, columns] in what a network answered: a tensor, something with ``logits``, a dictionary with
    them, or the first of several.

    Raises:
        ModelError: there are none.
    """
    found = getattr(answered, "logits", None)
    if found is None and isinstance(answered, Mapping):
        found = answered.get("logits")
    if found is None and isinstance(answered, tuple) and answered:
        found = answered[0]
    found = answered if isinstance(answered, Tensor) else found
    if not isinstance(found, Tensor):
        raise ModelError(
            f"A network answered with {type(answered).__name__}.",
            allowed="a tensor [rows, classes], or an object with logits",
        )
    return found


def class_names(own: Sequence[str] | None, labels: Sequence[str] | None) -> tuple[str, ...]:
    """Names of a network's classes, in the order of its outputs.

    Args:
        own: names of its head's outputs; None when it has no head.
        labels: names of the data's classes, which a new head gets, and a head without names of its own (``LABEL_0``,
            ``LABEL_1``, ...), whose outputs are then taken to be in their order.

    Raises:
        ModelError: no classes are known, or the head classifies into others than the data's.
    """
    if own is None:
        if not labels or len(labels) < 2:
            raise ModelError(
                "The network has no classification head and its classes are not known.",
                fix="give labelled data, so that a head can be trained",
            )
        return tuple(labels)
    if len(own) < 2:
        raise ModelError("The head of this network gives one number, not classes.", allowed="at least two classes")
    if not labels:
        return tuple(own)
    if is_unnamed(own) and len(labels) == len(own):
        return tuple(labels)
    try:
        return match_classes(own, labels, model="the network").names
    except DataError as error:
        raise ModelError(
            f"The network classifies into {', '.join(own)}; the data has {', '.join(labels)}.",
            allowed="the same classes",
            fix="rename the data's labels, or bring the network without its head, so that a new one is trained",
        ) from error
