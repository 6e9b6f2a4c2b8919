"""Leave out whole blocks of a network of the user's own, where it names the lists that they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from lighten.core.errors import StepFailed
from lighten.core.step import Needs, Step, setting
from lighten.nets.module.blocks import block_lists, chosen_blocks, leave_out
from lighten.nets.module.network import Bound
from lighten.nets.network import Network


@dataclass(frozen=True)
class DropBlocks(Step):
    """Keep some of the blocks of each list, in their order; the first of each stays."""

    title: ClassVar[tuple[str, str]] = ("blocks dropped (kept: {keep})", "删减模块（保留：{keep}）")
    consumes: ClassVar[tuple[str, ...]] = ("module",)
    wants_recovery: ClassVar[bool] = True
    extra: ClassVar[str] = "train"

    keep: float = setting(
        0.5, "Share of the blocks that stays.", unit="fraction", low=0.01, high=1.0, search=(0.67, 0.83, 0.5, 0.34)
    )

    def check(self, facts: Mapping[str, Any]) -> str:
        """Refuses networks that name no blocks, or no more than one in each list."""
        return "" if facts.get("blocks", 1) else "the module names no blocks that could be left out"

    def share(self, facts: Mapping[str, Any] | None = None) -> float:
        """See :meth:`Step.share`."""
        return self.keep

    def run(self, model: Network, needs: Needs) -> Network:
        """Leave blocks out, in place.

        Raises:
            StepFailed: it is no network of the user's own.
        """
        bound = model.net
        if not isinstance(bound, Bound):
            raise StepFailed(f"{type(bound).__name__} names no blocks.", allowed="a network of your own")
        before = bound.record.left
        kept = chosen_blocks({name: len(part) for name, part in block_lists(bound.own).items()}, self.keep)
        leave_out(bound.own, kept)
        left = {
            name: [before[name][i] for i in numbers] if name in before else numbers for name, numbers in kept.items()
        }
        bound.record = replace(bound.record, left=left)
        return model
