"""Memory: what learning from a batch holds, measured on its longest row, and what is done where that is too much.

What autograd keeps for the way back is counted as it is kept, in whatever network. Where a batch would not fit, it is
computed in pieces; where a single row would not, what blocks keep is thrown away and computed again on the way back
(https://arxiv.org/abs/1604.06174). Neither changes what is learned, but for the rounding of sums over pieces, and for
norms of batches that learn: these see a piece at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from lighten.isolate.machine import available_memory
from lighten.isolate.wire import OUT_OF_MEMORY
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.learning import tensors_in
from lighten.nets.training.prefix import answering
from lighten.nets.training.trainable import Trainable

SHARE = 0.8
"""Part of the memory that is left which a step may take."""
AGAIN = 0.95
"""Part of it where a training is taken up: as long as its batches fit this, they are computed as they were."""
BACK = 1.5
"""How many times what is kept the way back takes at its most: gradients of what it is computing just then."""
MOMENTS = 16
"""Bytes for a number that learns, beside itself: its gradient, two moments, and its best value so far."""
GRADIENT = 4
"""Those of its gradient alone: of a training that is taken up, the others are in the memory already."""


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that a batch holds until its gradients are there.

    Attributes:
        once: however many rows it has, such as weights that autocast has cast. each: for every row.
    """

    once: int
    each: int

    def of(self, rows: float) -> float:
        """What learning from so many rows takes at its most."""
        return self.once + BACK * rows * self.each


@dataclass(frozen=True, slots=True)
class Fitted:
    """How batches are computed.

    Attributes:
        piece: most rows at once; 0 for all. recompute: whether blocks are computed again on the way back.
        note: of it, where it is not as ever.
    """

    piece: int = 0
    recompute: bool = False
    note: str = ""

    def holds(self, other: Fitted) -> bool:
        """Whether it takes no more memory than another."""
        fits = not other.piece or 0 < self.piece <= other.piece
        return fits and (self.recompute or not other.recompute)


def fitted(
    work: Trainable,
    batches: Sequence[Sequence[int]],
    room: float | None = None,
    *,
    among: int = 1,
    before: Fitted | None = None,
) -> Fitted:
    """How the batches of a training fit the memory.

    Args:
        batches: of a pass. room: bytes; None for what is left here, for each of ``among`` processes.
        before: how they did in an earlier sitting, whose moments are in the memory; it stays unless they do not any
            more, and then pieces become no larger. The kernel may have ended that sitting for its memory.
    """

    def left(share: float) -> float:
        return share * available_memory() / among if room is None else room

    if before is None:
        return _fitted(work, batches, left(SHARE), MOMENTS)
    if before.holds(_fitted(work, batches, left(AGAIN), GRADIENT)):
        return before
    found = _fitted(work, batches, left(SHARE), GRADIENT)
    piece = min((one for one in (found.piece, before.piece) if one), default=0)
    return Fitted(piece, found.recompute or before.recompute, found.note)


def _fitted(work: Trainable, batches: Sequence[Sequence[int]], left: float, each: int) -> Fitted:
    """See :func:`fitted`. left: bytes. each: of them for a number that learns."""
    left -= each * sum(one.numel() for one in work.net.parameters() if one.requires_grad)
    if not batches:
        return Fitted()
    longest = max((row for batch in batches for row in batch), key=work.extent)
    whole, less = held_by(work, longest, left)
    most = max(len(batch) * max(map(work.extent, batch)) for batch in batches) / max(work.extent(longest), 1)
    if not whole.each or whole.of(most) <= left:
        return Fitted()
    recompute = whole.of(work.least) > left and less.of(1) < whole.of(1)
    held = less if recompute else whole
    piece = max(int((left - held.once) / (BACK * held.each)) if held.each else 0, work.least)
    told = []
    if piece < most:
        told.append(f"gradients are added up over pieces of at most {piece} row{'s' if piece > 1 else ''}")
    if recompute:
        told.append("blocks are computed again on the way back")
    seen = (
        f"Learning from the longest row takes {whole.of(1) / 1e6:,.0f} MB, and there are {max(left, 0) / 1e6:,.0f} MB: "
    )
    note = seen + (", and ".join(told) or "it is tried all the same") + "."
    return Fitted(piece if piece < most else 0, recompute, note)


def held_by(work: Trainable, row: int, room: float = math.inf) -> tuple[Held, Held]:
    """What a row holds, as ever and where blocks are computed again; nothing is learned.

    Args:
        room: bytes. Where two rows would not fit, what is held once counts for every row.
    """
    found = _held_by(work, [row])
    if 2 * BACK * found[0] > room:
        return Held(0, found[0]), Held(0, found[1])
    both = _held_by(work, [row, row])
    each = [min(two - one, one) for one, two in zip(found, both, strict=True)]
    return Held(found[0] - each[0], each[0]), Held(found[1] - each[1], each[1])


def _held_by(work: Trainable, batch: Sequence[int]) -> tuple[int, int]:
    """Bytes that a batch holds, as ever and where blocks are computed again."""
    net = work.net
    blocks = recomputable(work)
    own = {_address(one) for one in (*net.parameters(), *net.buffers())}
    count = _Count(own)
    inside, gave, largest, begun = 0, 0, 0, 0

    def begin(*_: Any) -> None:
        nonlocal begun
        begun = count.bytes

    def end(_: nn.Module, __: Any, output: Any) -> None:
        nonlocal inside, gave, largest
        held = count.bytes - begun
        inside, largest = inside + held, max(largest, held)
        gave += sum(int(one.nbytes) for one in tensors_in(output))

    hooks = [one.register_forward_pre_hook(begin) for one in blocks]
    hooks += [one.register_forward_hook(end) for one in blocks]
    try:
        with eval_mode(net), saved_tensors_hooks(count.keep, _back):
            answers = work.computed(batch)
        whole = count.bytes
        del answers
    finally:
        for hook in hooks:
            hook.remove()
    return whole, whole - inside + gave + largest


def recomputable(work: Trainable) -> Sequence[nn.Module]:
    """Blocks that can be computed again: that learn, and count nothing while they do.

    The last one stays as it is: what is after it needs it at once.
    """
    part = work.part
    learning = part.blocks[len(part.frozen) : -1] if part is not None else ()
    return [block for block in learning if not any(isinstance(one, _COUNTS) for one in block.modules())]


@contextmanager
def recomputing(work: Trainable) -> Iterator[None]:
    """Inside, blocks keep nothing for the way back but what they were given."""
    with ExitStack() as stack:
        for block in recomputable(work):
            stack.enter_context(answering(block, _recomputed(block.forward)))
        yield


def _recomputed(forward: Any) -> Any:
    def computed(*values: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*values, **named)
        return checkpoint(forward, *values, use_reentrant=False, **named)

    return computed


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or bool(OUT_OF_MEMORY.search(str(error)))


_COUNTS = (nn.modules.batchnorm._BatchNorm,)
"""Modules that change by being asked."""


class _Count:
    """Bytes that are kept, each address in memory once. own: those of the network itself, which count nothing."""

    def __init__(self, own: set[int]) -> None:
        self._seen, self.bytes = set(own), 0

    def keep(self, tensor: Tensor) -> Tensor:
        """Count what is packed away."""
        if tensor.layout is torch.strided and (address := _address(tensor)) not in self._seen:
            self._seen.add(address)
            self.bytes += tensor.untyped_storage().nbytes()
        return tensor


def _back(tensor: Tensor) -> Tensor:
    return tensor


def _address(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())
