"""Drop whole encoder layers: the surest way to make a network faster on any engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from lighten.core.step import Needs, Step, setting
from lighten.nets.language import LanguageNetwork
from lighten.nets.network import Network
from lighten.nets.walk import layer_list, refusal


@dataclass(frozen=True)
class DropLayers(Step):
    """Keep some of the layers, in their order; the others are gone (Sajjad et al. 2020, "Poor Man's BERT")."""

    consumes: ClassVar[tuple[str, ...]] = ("hf", "hf-causal")
    wants_recovery: ClassVar[bool] = True
    extra: ClassVar[str] = "train"

    keep: float = setting(
        0.5, "Share of the layers that stays.", unit="fraction", low=0.01, high=1.0, search=(0.67, 0.83, 0.5, 0.34)
    )
    choice: str = setting(
        "even", "Which stay: evenly spaced with first and last, or the first ones.", choices=("even", "first")
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses families whose layers cannot be dropped, and networks of one layer."""
        if facts.get("layers") == 1:
            return "the network has one layer only"
        return refusal(facts, "layers")

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`."""
        if facts and facts.get("language"):
            body = 1.0 - facts["vocabulary"] * facts["hidden"] / facts["parameters"]
            return float(1.0 - body * (1.0 - self.keep))
        return self.keep

    def run(self, model: Network | LanguageNetwork, needs: Needs) -> Network | LanguageNetwork:
        """Drop layers in place."""
        found = layer_list(model.net)
        # Where kinds of layers alternate by their number, whole rounds go, so that each number keeps its kind; what
        # is less than a round stands at the end and stays.
        pattern = int(getattr(model.net.config, "_sliding_window_pattern", 1) or 1)
        pattern = pattern if pattern <= len(found) else 1
        count, rest = divmod(len(found), pattern)
        rounds = chosen(count, max(1, round((self.keep * len(found) - rest) / pattern)), self.choice)
        kept = [first * pattern + i for first in rounds for i in range(pattern)]
        kept += range(len(found) - rest, len(found))
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
