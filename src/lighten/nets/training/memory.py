"""Memory: what learning from a batch holds, measured on its longest row, and what is done where that is too much.

What autograd keeps for the way back is counted as it is kept, in whatever network. Where a batch would not fit, it is
computed in pieces; where a single row would not, what blocks keep is thrown away and computed again on the way back
(https://arxiv.org/abs/1604.06174). Neither changes what is learned, but for the rounding of sums over pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from lighten.isolate.machine import available_memory
from lighten.nets.training.prefix import answering
from lighten.nets.training.trainable import Trainable

SHARE = 0.8
"""Part of the memory that is left which a step may take."""
BACK = 1.5
"""How many times what is kept the way back takes at its most: gradients of what it is computing just then."""
MOMENTS = 16
"""Bytes for a number that learns, beside itself: its gradient, two moments, and its best value so far."""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that a row holds until its gradients are there. whole: as ever. again: where blocks are computed again."""

    whole: int
    again: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """How batches are computed. piece: most rows at once; 0 for all. again: whether blocks are computed again. note: of
    it, where it is not as ever."""

    piece: int = 0
    again: bool = False
    note: str = ""


def fitted(work: Trainable, batches: Sequence[Sequence[int]], room: float | None = None, *, among: int = 1) -> Fitted:
    """How the batches of a training fit the memory.

    Args:
        batches: of a pass. room: bytes; None for what is left here, for each of ``among`` processes.
    """
    left = SHARE * available_memory() / among if room is None else room
    left -= MOMENTS * sum(one.numel() for one in work.net.parameters() if one.requires_grad)
    if not batches:
        return Fitted()
    longest = max((row for batch in batches for row in batch), key=work.extent)
    held = held_by(work, longest)
    each = work.extent(longest)
    most = max(len(batch) * max(map(work.extent, batch)) for batch in batches) / max(each, 1)
    if not held.whole or BACK * held.whole * most <= left:
        return Fitted()
    again = BACK * held.whole > left and held.again < held.whole
    one = BACK * (held.again if again else held.whole)
    piece = max(int(left / one), work.least) if one else 0
    told = (
        f"Learning from the longest row takes {held.whole / 1e6:,.0f} MB, and there are {max(left, 0) / 1e6:,.0f} MB: "
        f"gradients are added up over pieces of at most {piece} rows"
    )
    more = ", and blocks are computed again on the way back" if again else ""
    return Fitted(piece if piece < most else 0, again, f"{told}{more}.")


def held_by(work: Trainable, row: int) -> Held:
    """What one row holds; nothing is learned."""
    net, training = work.net, work.net.training
    blocks = again_blocks(work)
    own = {_place(one) for one in (*net.parameters(), *net.buffers())}
    count = _Count(own)
    inside, gave, largest, begun = 0, 0, 0, 0

    def begin(*_: Any) -> None:
        nonlocal begun
        begun = count.bytes

    def end(_: nn.Module, __: Any, output: Any) -> None:
        nonlocal inside, gave, largest
        held = count.bytes - begun
        tensor = output[0] if isinstance(output, tuple) else output
        inside, largest, gave = inside + held, max(largest, held), gave + int(tensor.nbytes)

    hooks = [one.register_forward_pre_hook(begin) for one in blocks]
    hooks += [one.register_forward_hook(end) for one in blocks]
    net.eval()
    try:
        with saved_tensors_hooks(count.keep, _back):
            answers = work.computed([row])
        whole = count.bytes
        del answers
    finally:
        for hook in hooks:
            hook.remove()
        net.train(training)
    return Held(whole, whole - inside + gave + largest)


def again_blocks(work: Trainable) -> Sequence[nn.Module]:
    """Blocks that can be computed again: that learn, and count nothing while they do.

    The last one stays as it is: what is after it needs it at once.
    """
    part = work.part
    learning = part.blocks[len(part.frozen) : -1] if part is not None else ()
    return [block for block in learning if not any(isinstance(one, _COUNTS) for one in block.modules())]


@contextmanager
def computing_again(work: Trainable) -> Iterator[None]:
    """Inside, blocks keep nothing for the way back but what they were given."""
    with ExitStack() as stack:
        for block in again_blocks(work):
            stack.enter_context(answering(block, _again(block.forward)))
        yield


def _again(forward: Any) -> Any:
    def computed(*values: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*values, **named)
        return checkpoint(forward, *values, use_reentrant=False, **named)

    return computed


_COUNTS = (nn.modules.batchnorm._BatchNorm,)
"""Modules that change by being asked."""


class _Count:
    """Bytes that are kept, each place in memory once. own: places of the network itself, which count nothing."""

    def __init__(self, own: set[int]) -> None:
        self._seen, self.bytes = set(own), 0

    def keep(self, tensor: Tensor) -> Tensor:
        """Count what is packed away."""
        if tensor.layout is torch.strided and (place := _place(tensor)) not in self._seen:
            self._seen.add(place)
            self.bytes += tensor.untyped_storage().nbytes()
        return tensor


def _back(tensor: Tensor) -> Tensor:
    return tensor


def _place(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())
