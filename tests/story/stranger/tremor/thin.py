"""Leave out the channels of a network of traces that weigh least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lighten.core.step import Needs, Step, setting


@dataclass(frozen=True)
class Thin(Step):
    """Whole channels go, so that what stays is a smaller network of the same kind."""

    consumes: ClassVar[tuple[str, ...]] = ("trace-net",)
    wants_recovery: ClassVar[bool] = True
    extra: ClassVar[str] = "train"

    keep: float = setting(
        0.75, "Share of the channels that stay.", unit="fraction", low=0.05, high=1.0, search=(0.75, 0.5)
    )

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        return self.keep**2

    def run(self, model: Any, needs: Needs) -> Any:
        from torch.nn import Parameter

        net = model.net
        count = max(round(self.keep * len(net.second.bias)), 1)
        first, second = (
            layer.weight.detach().abs().sum(dim=(1, 2)).topk(count).indices.sort().values
            for layer in (net.first, net.second)
        )
        for layer, kept in ((net.first, first), (net.second, second)):
            layer.weight, layer.bias = Parameter(layer.weight[kept].detach()), Parameter(layer.bias[kept].detach())
            layer.out_channels = count
        net.second.weight, net.second.in_channels = Parameter(net.second.weight[:, first].detach().contiguous()), count
        net.head.weight, net.head.in_features = Parameter(net.head.weight[:, second].detach().contiguous()), count
        return model
