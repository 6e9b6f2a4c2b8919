"""Drop whole layers, or blocks of a network for pictures: the surest way to make it faster on any engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from lighten.core.step import Needs, Step, setting
from lighten.nets.encoders.walk import layer_list, refusal
from lighten.nets.language.network import LanguageNetwork
from lighten.nets.network import Network
from lighten.nets.vision import blocks


@dataclass(frozen=True)
class DropLayers(Step):
    """Keep some of the layers, in their order; the others are gone (Sajjad et al. 2020, "Poor Man's BERT").

    Of networks with stages, the first block of each stays, and so does what changes the shape of its input.
    """

    title: ClassVar[tuple[str, str]] = ("layers dropped (kept: {keep})", "删减层（保留：{keep}）")
    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    wants_recovery: ClassVar[bool] = True
    extra: ClassVar[str] = "train"

    keep: float = setting(
        0.5, "Share of the layers that stays.", unit="fraction", low=0.01, high=1.0, search=(0.67, 0.83, 0.5, 0.34)
    )
    choice: str = setting(
        "even",
        "Which stay: evenly spaced with first and last, as far as kinds of layers allow, or the first ones.",
        choices=("even", "first"),
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses networks of one layer, families whose layers stay, and shares that stages cannot have."""
        if facts.get("layers") == 1:
            return "the network has one layer only"
        family = str(facts.get("family", ""))
        if family in blocks.STAGED:
            stages = facts["stages"]
            fewest, count = blocks.fewest_blocks(stages, family), sum(stages)
            if round(self.keep * count) >= fewest:
                return ""
            return f"{fewest} of its {count} blocks stay in any case, the first of each of {len(stages)} stages"
        if family in blocks.LISTED:
            return ""
        return blocks.REFUSALS.get(family) or refusal(facts, "layers")

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`."""
        if facts and facts.get("language"):
            layers = 1.0 - facts["vocabulary"] * facts["hidden"] / facts["parameters"]
            return float(1.0 - layers * (1.0 - self.keep))
        return self.keep

    def run(self, model: Network | LanguageNetwork, needs: Needs) -> Network | LanguageNetwork:
        """Drop layers in place."""
        if model.net.config.model_type in blocks.STAGED:
            blocks.leave_out(model.net, self.keep, self.choice)
            return model
        found = layer_list(model.net)
        kinds = getattr(model.net.config, "layer_types", None) or [""] * len(found)
        kept = placed(kinds, max(1, round(self.keep * len(found))), self.choice)
        layers = [found[i] for i in kept]
        del found[:]
        found.extend(layers)
        _renumber(model.net, layers, kept)
        return model


def chosen(count: int, kept: int, choice: str = "even") -> list[int]:
    """Which ``kept`` of ``count`` layers stay, ascending. Evenly spaced: first and last are among them from two on.

    >>> chosen(6, 3), chosen(6, 4), chosen(12, 4), chosen(6, 2, "first")
    ([0, 2, 5], [0, 2, 3, 5], [0, 4, 7, 11], [0, 1])
    """
    if choice == "first" or kept == 1:
        return list(range(kept))
    return [round(i * (count - 1) / (kept - 1)) for i in range(kept)]


def placed(kinds: Sequence[str], kept: int, choice: str = "even") -> list[int]:
    """As :func:`chosen`, but where kinds of layers alternate, each number keeps its kind: the nearest such layers.

    Gemma's attention sees the whole sequence in every sixth layer only, and engines count: what was the sixth layer
    must be followed by five of the other kind again, or they compute something else.

    >>> placed("aabaab", 3), placed("aabaab", 4), placed("aaaaaa", 4)
    ([0, 1, 5], [0, 1, 2, 4], [0, 2, 3, 5])
    """
    ideal = chosen(len(kinds), kept, choice)
    costs = [0.0] * (len(kinds) + 1)  # of placing all numbers so far, by the first layer that is still free
    ways: list[list[int]] = [[] for _ in costs]
    for number, wanted in enumerate(ideal):
        best, way = float("inf"), list[int]()
        fresh, to = [best] * len(costs), [way] * len(costs)
        for layer, kind in enumerate(kinds):
            cost = costs[layer] + abs(layer - wanted) if kind == kinds[number] else float("inf")
            if cost < best:
                best, way = cost, [*ways[layer], layer]
            fresh[layer + 1], to[layer + 1] = best, way
        costs, ways = fresh, to
    return ways[-1]


def _renumber(net: nn.Module, layers: list[nn.Module], kept: list[int]) -> None:
    net.config.num_hidden_layers = len(layers)
    if getattr(net.config, "layer_types", None):
        net.config.layer_types = [net.config.layer_types[i] for i in kept]
    for number, layer in enumerate(layers):
        for module in layer.modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = number
    for module in net.modules():
        if hasattr(module, "n_layers"):  # distilbert counts them beside its list
            module.n_layers = len(layers)
