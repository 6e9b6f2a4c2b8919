"""Remove attention heads and feed-forward neurons: smaller dense matrices in every layer.

A part acts through its columns of the next matrix only. By default those parts go whose columns the others can make up
for, and they do (see :mod:`lighten.nets.encoders.surgeon`). The first-order Taylor estimate of what the loss loses
without a part, |sum of activation x gradient| (Molchanov et al. 2019; Michel et al. 2019 for heads), is weight x
gradient over the part's columns: no hooks, and a part that contributes nothing scores exactly 0.

A language model loses gated neurons, and query heads with the keys and values that no other head reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lighten.core.errors import StepFailed
from lighten.core.item import Item
from lighten.core.rows import Rows
from lighten.core.step import Needs, Step, setting
from lighten.data.buckets import batches_by_size
from lighten.nets.encoders.couple import keep_heads, keep_neurons
from lighten.nets.encoders.surgeon import gather, operate
from lighten.nets.encoders.walk import Layer, head_size, layers, refusal
from lighten.nets.forward import run
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.language.texts import texts_of
from lighten.nets.language.width import narrow
from lighten.nets.network import Network
from lighten.nets.training.precision import using_threads

MULTIPLE = 64
"""Feed-forward sizes are multiples of this, so that every engine's kernels fill their vectors."""

BATCH_ROWS = 8
"""Rows per batch when importance is measured: the sign is lost per batch, so small batches tell more."""


@dataclass(frozen=True)
class Narrow(Step):
    """Keep the most important heads and neurons of every layer, equally many in each."""

    title: ClassVar[tuple[str, str]] = ("attention heads and neurons cut", "裁剪注意力头与神经元")
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    needs: ClassVar[frozenset[str]] = frozenset({"train"})
    wants_recovery: ClassVar[bool] = True
    extra: ClassVar[str] = "train"

    ff: float = setting(
        0.5,
        "Share of the feed-forward neurons that stays.",
        unit="fraction",
        low=0.01,
        high=1.0,
        search=(0.33, 0.5, 0.25, 0.75),
    )
    heads: float = setting(
        1.0, "Share of the attention heads that stays.", unit="fraction", low=0.01, high=1.0, search=(0.67, 1.0, 0.5)
    )
    importance: str = setting(
        "reconstruction",
        "By what the layers' outputs lose when the rest makes up for it, by what the loss loses, or by weights alone.",
        choices=("reconstruction", "taylor", "magnitude"),
    )
    rows: int = setting(1536, "Training rows that importance is measured on.", unit="rows", low=1, high=100_000)

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses families whose neurons or heads cannot be removed."""
        if facts.get("language"):
            if self.importance == "taylor":
                return "taylor measures a classifier's loss; reconstruction and magnitude are there for language models"
            if self.heads < 1.0 and facts.get("family") == "qwen2":
                return "llama.cpp takes all heads of qwen2 to be as wide as its layers; heads = 1.0 would do"
            return ""
        refused = refusal(facts, "ff")
        if not refused and self.heads < 1.0:
            refused = refusal(facts, "heads")
            refused = f"{refused}; heads = 1.0 would do" if refused else ""
        return refused

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`: in a layer of usual proportions, attention is a third of the arithmetic."""
        if facts and facts.get("language"):
            neurons = 3 * facts["hidden"] * facts["intermediate"] * facts["layers"] / facts["parameters"]
            words = facts["vocabulary"] * facts["hidden"] * (1 if facts.get("tied", True) else 2) / facts["parameters"]
            rest = max(1.0 - words - neurons, 0.0)
            return float(1.0 - neurons * (1.0 - self.ff) - rest * (1.0 - self.heads))
        return (self.heads + 2 * self.ff) / 3

    def run(self, model: Network | LanguageNetwork, needs: Needs) -> Network | LanguageNetwork:
        """Remove heads and neurons in place.

        Raises:
            StepFailed: importance has to be measured and there are no rows.
        """
        if isinstance(model, LanguageNetwork):
            return self._language(model, needs)
        if self.importance == "magnitude":
            self._cut(layers(model.net), *magnitude(layers(model.net), head_size(model.net)), head_size(model.net))
            return model
        if needs.train is None or not len(needs.train):
            raise StepFailed("Importance is measured on training rows, and there are none.")
        rows = needs.train.take(_spread(len(needs.train), self.rows))
        with using_threads(needs.threads):
            if self.importance == "reconstruction":
                self._operate(model, rows.inputs)
            elif needs.task.together > 1:
                raise StepFailed("taylor measures a row by itself, and these are right beside others only.")
            else:
                self._cut(layers(model.net), *taylor(model, rows, needs.task.loss), head_size(model.net))
        return model

    def _language(self, model: LanguageNetwork, needs: Needs) -> LanguageNetwork:
        texts = None
        if self.importance == "reconstruction":
            if needs.train is None or not len(needs.train):
                raise StepFailed("Importance is measured on training rows, and there are none.")
            texts = texts_of(needs.train, needs.task)
        with using_threads(needs.threads):
            return narrow(model, self.ff, self.heads, texts, watch=needs.watch)

    def _operate(self, model: Network, texts: Sequence[Item]) -> None:
        parts, size = layers(model.net), head_size(model.net)
        fed = gather(model, [m for part in parts for m in (part.down, part.out)], texts)
        for i, part in enumerate(parts):
            if self.ff < 1.0:
                count = rounded(self.ff * part.down.in_features, part.down.in_features)
                kept, weight, bias = operate(part.down, fed[2 * i], count)
                keep_neurons(part, kept)
                _put(part.down, weight, bias)
            if self.heads < 1.0:
                count = max(1, round(self.heads * (part.out.in_features // size)))
                kept, weight, bias = operate(part.out, fed[2 * i + 1], count, size)
                keep_heads(part, kept, size)
                _put(part.out, weight, bias)

    def _cut(self, parts: Sequence[Layer], neurons: Sequence[Tensor], heads: Sequence[Tensor], size: int) -> None:
        for part, of_neurons, of_heads in zip(parts, neurons, heads, strict=True):
            if self.ff < 1.0:
                keep_neurons(part, most(of_neurons, rounded(self.ff * len(of_neurons), len(of_neurons))))
            if self.heads < 1.0:
                keep_heads(part, most(of_heads, max(1, round(self.heads * len(of_heads)))), size)


def taylor(network: Network, rows: Rows, loss: Callable[[Tensor, Tensor], Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Importance of every neuron and head, per layer: |weight x gradient| summed over the part's columns, over batches.

    Returns:
        neurons: per layer float32 [ff]; heads: per layer float32 [heads].
    """
    net, size, parts = network.net, head_size(network.net), layers(network.net)
    examples, targets = network.reader.for_learning()(rows.inputs), torch.tensor(rows.targets)
    neurons = [torch.zeros(part.up.out_features) for part in parts]
    heads = [torch.zeros(part.query.out_features // size) for part in parts]
    columns = [matrix for part in parts for matrix in (part.down.weight, part.out.weight)]
    with _only(net, columns), network.shortcut():
        for batch in batches_by_size(network.reader, examples, BATCH_ROWS):
            value = loss(run(network, [examples[i] for i in batch]), targets[batch])
            found = [w.detach() * g for w, g in zip(columns, torch.autograd.grad(value, columns), strict=True)]
            for i in range(len(parts)):
                neurons[i] += found[2 * i].sum(0).abs() * len(batch)
                heads[i] += found[2 * i + 1].sum(0).unflatten(0, (-1, size)).sum(1).abs() * len(batch)
    return neurons, heads


def magnitude(parts: Sequence[Layer], size: int) -> tuple[list[Tensor], list[Tensor]]:
    """Importance by the weights alone: norm of what goes into a part times norm of what comes out of it."""
    neurons = [p.up.weight.detach().norm(dim=1) * p.down.weight.detach().norm(dim=0) for p in parts]
    heads = [
        p.value.weight.detach().unflatten(0, (-1, size)).flatten(1).norm(dim=1)
        * p.out.weight.detach().unflatten(1, (-1, size)).norm(dim=(0, 2))
        for p in parts
    ]
    return neurons, heads


def most(importance: Tensor, count: int) -> Tensor:
    """Indices of the ``count`` largest, ascending; among equals the first."""
    order = torch.argsort(importance, descending=True, stable=True)
    return order[:count].sort().values


def rounded(wanted: float, size: int) -> int:
    """``wanted`` neurons as a multiple of ``MULTIPLE`` (8 when the block is small), at least one of it, at most all."""
    multiple = MULTIPLE if size >= 4 * MULTIPLE else 8
    return min(size, max(multiple, round(wanted / multiple) * multiple))


def _spread(count: int, wanted: int) -> list[int]:
    kept = min(count, wanted)
    return [i * count // kept for i in range(kept)]


def _put(linear: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    linear.weight = nn.Parameter(weight)
    if bias is not None:
        linear.bias = nn.Parameter(bias)


@contextmanager
def _only(net: nn.Module, weights: Sequence[Tensor]) -> Iterator[None]:
    """Inside, gradients are computed for ``weights`` of ``net`` and nothing else, in eval mode."""
    before, training = [(p, p.requires_grad) for p in net.parameters()], net.training
    net.eval().requires_grad_(False)
    for weight in weights:
        weight.requires_grad_(True)
    try:
        yield
    finally:
        for parameter, wanted in before:
            parameter.requires_grad_(wanted)
        net.train(training)
