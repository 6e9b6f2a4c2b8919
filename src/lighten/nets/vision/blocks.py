"""Blocks: the parts of a network for pictures that can be left out whole, because what goes in has the shape of what
comes out.

The first block of a stage stays: in most families it widens its input or makes it smaller, and no stage may be empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import ceil
from typing import Any

from torch import nn

from lighten.nets.vision.facts import MOBILENETS

STAGED: Mapping[str, str] = {
    "resnet": "layers", "convnext": "layers", "convnextv2": "layers", "swin": "blocks", "swinv2": "blocks",
    "efficientnet": "",
}  # fmt: skip
"""Families with stages of blocks, and what a stage calls its blocks; EfficientNet has them in one list."""
LISTED = ("vit", "deit")
"""Families whose layers are one list of equal ones, as those of an encoder of texts."""
REFUSALS: Mapping[str, str] = dict.fromkeys(MOBILENETS, "its config cannot say that a block is missing")
"""Families whose blocks cannot be left out, and why."""
_SHIFTED = ("swin", "swinv2")
"""Families in which every second block of a stage shifts its windows: blocks go in pairs."""


def blocks(net: nn.Module) -> Sequence[nn.Module]:
    """All blocks of a network in the order in which they are computed; empty where they cannot be told apart."""
    family, base = net.config.model_type, net.base_model
    if family in MOBILENETS:
        return tuple(base.layer)
    if family == "efficientnet":
        return tuple(base.encoder.blocks)
    if family in LISTED:
        return tuple(next(m for m in base.modules() if isinstance(m, nn.ModuleList)))
    stages = base.encoder.layers if family in _SHIFTED else base.encoder.stages if family in STAGED else ()
    return tuple(block for stage in stages for block in getattr(stage, STAGED[family]))


def leave_out(net: nn.Module, keep: float, choice: str = "even") -> None:
    """Leave out blocks, in place, until a share of ``keep`` is left, or as few as the shapes allow.

    Args:
        choice: as for :func:`kept_blocks`.
    """
    family: str = net.config.model_type
    step = _step(family)
    encoder: Any = net.base_model.encoder
    if family == "efficientnet":
        _of_one_list(net, encoder, keep, choice)
        return
    every = encoder.layers if family in _SHIFTED else encoder.stages
    kept = kept_blocks([len(getattr(stage, STAGED[family])) for stage in every], keep, step, choice)
    for stage, chosen in zip(every, kept, strict=True):
        blocks = getattr(stage, STAGED[family])
        left = [blocks[i] for i in chosen]
        setattr(
            stage, STAGED[family], nn.ModuleList(left) if isinstance(blocks, nn.ModuleList) else nn.Sequential(*left)
        )
    net.config.depths = [len(chosen) for chosen in kept]


def kept_blocks(sizes: Sequence[int], keep: float, step: int = 1, choice: str = "even") -> list[list[int]]:
    """Which blocks of each stage stay, ascending: the first, and the same share of the others of each stage.

    Args:
        sizes: blocks of each stage. step: so many blocks stay or go together.
        choice: ``even`` leaves the others evenly spaced, ``first`` the first of them.

    >>> kept_blocks([2, 2, 2, 2], 0.75), kept_blocks([3, 4, 6, 3], 0.5), kept_blocks([2, 6], 0.75, 2)
    ([[0], [0, 1], [0, 1], [0]], [[0, 2], [0, 2], [0, 3], [0, 2]], [[0, 1], [0, 1, 4, 5]])
    """
    units = [[list(range(i, min(i + step, size))) for i in range(0, size, step)] for size in sizes]
    free = [len(stage) - 1 for stage in units]
    wanted = max(0, min(round(keep * sum(sizes) / step) - len(units), sum(free)))
    ends = [round(wanted * done / max(sum(free), 1)) for done in accumulate(free, initial=0)]
    found = []
    for (first, *others), (begin, end) in zip(units, pairwise(ends), strict=True):
        count = end - begin
        places = range(count) if choice == "first" else [(2 * i + 1) * len(others) // (2 * count) for i in range(count)]
        found.append([block for unit in (first, *(others[place] for place in places)) for block in unit])
    return found


def fewest_blocks(sizes: Sequence[int], family: str) -> int:
    """How many blocks of a network with stages stay at least: the first of each, or the first pair."""
    return sum(min(_step(family), size) for size in sizes)


def _step(family: str) -> int:
    return 2 if family in _SHIFTED else 1


def _of_one_list(net: nn.Module, encoder: Any, keep: float, choice: str) -> None:
    """EfficientNet: how often each kind of block is repeated, and which blocks pad otherwise, by their numbers."""
    config: Any = net.config
    sizes = [ceil(config.depth_coefficient * count) for count in config.num_block_repeats]
    kept = kept_blocks(sizes, keep, 1, choice)
    begins = list(accumulate(sizes, initial=0))
    numbers = [begin + i for begin, chosen in zip(begins, kept, strict=False) for i in chosen]
    encoder.blocks = nn.ModuleList(encoder.blocks[number] for number in numbers)
    new = {old: number for number, old in enumerate(numbers)}
    config.depthwise_padding = [new[old] for old in config.depthwise_padding if old in new]
    config.num_block_repeats, config.depth_coefficient = [len(chosen) for chosen in kept], 1.0
