"""Train a language model on the user's text through low-rank additions to its matrices, then merge them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.language.loop import LanguageSchedule, learn
from lighten.nets.language.network import LanguageNetwork


@dataclass(frozen=True)
class Lora(Step):
    """Low-rank adaptation (Hu et al. 2021): a third less arithmetic and far less memory than training all weights."""

    title: ClassVar[tuple[str, str]] = (
        "low-rank additions (rank {rank}) trained on your data and merged, passes: {epochs}",
        "在您的数据上训练秩为 {rank} 的低秩增量 {epochs} 遍并合并",
    )
    consumes: ClassVar[tuple[str, ...]] = ("hf-causal",)
    needs: ClassVar[frozenset[str]] = frozenset({"train", "tune"})
    extra: ClassVar[str] = "train"

    epochs: float = setting(1.0, "Passes over the training text; parts of one are allowed.", low=0.05, high=100)
    rank: int = setting(16, "Rank of the additions.", low=1, high=1024)
    learning_rate: float = setting(4e-4, "Peak rate of the additions.", low=1e-7, high=1e-1)
    alpha: float = setting(32.0, "Scale of the additions, as a multiple of one over the rank.", low=0.01, high=1e4)
    embeddings: bool = setting(False, "Train the embeddings as well, all of their weights.")

    def run(self, model: LanguageNetwork, needs: Needs) -> LanguageNetwork:
        """Train, then merge, in place.

        Raises:
            StepFailed: the loss became infinite or NaN.
        """
        if needs.train is None or needs.tune is None:
            raise StepFailed("Training needs texts to train and to tune on.")
        added = add(model.net, self.rank, self.alpha / self.rank, needs.seed)
        trained = [parameter for one in added.values() for parameter in (one.down, one.up)]
        if self.embeddings:
            trained.append(model.net.get_input_embeddings().weight)
        learn(model, needs, LanguageSchedule(self.epochs, self.learning_rate), parameters=trained)
        merge(model.net, added)
        return model


class Addition(nn.Module):  # type: ignore[misc, unused-ignore]
    """A linear map and its low-rank addition: ``x W' + scale * x A' B'``."""

    def __init__(self, linear: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.linear, self.scale = linear, scale
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """inputs: [..., in]. Returns [..., out]."""
        more: torch.Tensor = (inputs @ self.down.T) @ self.up.T
        return self.linear(inputs) + self.scale * more


def add(net: Any, rank: int, scale: float, seed: int) -> dict[str, Addition]:
    """Put an addition around every linear map but the head; returns them by name."""
    head = net.get_output_embeddings()
    linear = {name: m for name, m in net.named_modules() if isinstance(m, nn.Linear) and m is not head}
    added = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, module in linear.items():
            added[name] = Addition(module, min(rank, *module.weight.shape), scale)
            _put(net, name, added[name])
    return added


def merge(net: Any, added: dict[str, Addition]) -> None:
    """Add the additions into the weights and take them away."""
    for name, one in added.items():
        with torch.no_grad():
            one.linear.weight += one.scale * (one.up @ one.down)
        _put(net, name, one.linear)


def _put(net: Any, name: str, module: nn.Module) -> None:
    owner, _, last = name.rpartition(".")
    setattr(net.get_submodule(owner), last, module)
