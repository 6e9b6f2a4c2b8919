"""Group: the processes that train one network together, each from rows of its own (torch's process group).

An update of several processes is that of one with the batch of all, but for norms of batches, which see a process's own
rows: each learns from its share, the gradients are added up, weighted by size, and everybody makes the same step, so
that all hold the same weights; statistics of norms are averaged. What the clock, the memory or the disk of one decides,
rank 0 decides for all. Sums are made in one order: the same processes end with the same weights, bit for bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from lighten.core.errors import PeerLost, StepFailed
from lighten.isolate.machine import cpu_seconds
from lighten.nets.training.checkpoint import Snapshot
from lighten.nets.training.order import drawn
from lighten.nets.training.randomness import seed_all

T = TypeVar("T")
HANGING = timedelta(hours=2)
"""How long a process waits for the others; one that died is noticed at once, by its connection."""
BUCKET = 1 << 20
"""Numbers that are added up at a time, about; several such sums are under way at once."""
LOST = re.compile(r"\bpeer\b|connect|socket|time(d )?[ -]?out|broken pipe|unreachable|no route", re.I)
"""How a connection says that there is nobody at the other end any more."""
NONE, DENSE = -1, -2
"""What a process tells of a weight without a gradient and of one with a dense gradient; of a sparse one, its rows."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where the processes of a group find each other, and which of them this one is.

    Attributes:
        rank: its number, from 0. size: how many there are (the field's world size).
        here: how many of them are on this machine.
        address: ``file:///...`` on one machine, or ``env://`` for that in ``MASTER_ADDR`` and ``MASTER_PORT``.
    """

    rank: int = 0
    size: int = 1
    here: int = 1
    address: str = ""

    def join(self) -> Group:
        """The group, once all have come.

        Raises:
            PeerLost: they did not come.
        """
        if self.size == 1:
            return Group()
        from torch import distributed

        if self.here == self.size:  # they need no other network
            os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback())
        with _together():
            distributed.init_process_group(
                init_method=self.address, rank=self.rank, world_size=self.size, timeout=HANGING
            )
        return ProcessGroup(self)


class Group:
    """One process alone: it decides for itself, and has nothing to add up.

    Attributes:
        rank, size, here: see :class:`Meeting`.
        cpu_seconds: that the others have used, as they told last.
    """

    rank, size, here = 0, 1, 1
    cpu_seconds = 0.0

    def check(self, tell: Callable[[], str]) -> None:
        """See that all train the same. tell: gives what they must have in common.

        Raises:
            StepFailed: they do not.
        """

    def decide(self, make: Callable[[], T]) -> T:
        """What ``make`` gives rank 0, for all: plain values."""
        return make()

    def gather(self, value: float) -> list[float]:
        """A number of each."""
        return [value]

    def share(self, batch: Sequence[int], least: int) -> list[int]:
        """The rows of a batch that this process learns from; none where there are too few.

        Args:
            least: rows that can be learned from at once, at the least.
        """
        return list(batch)

    def draw(self, seed: int, update: int) -> None:
        """Set the random states of an update."""

    def add_up(self, net: nn.Module, loss: float, piece: int) -> tuple[float, int]:
        """Add up the gradients of all, in place.

        Args:
            loss: this process's part of the mean loss. piece: rows that fit its memory at once; 0 for all.

        Returns:
            The loss, and how many rows fit the memory of each.
        """
        return loss, piece

    def average(self, tensors: Sequence[Tensor], weight: float) -> None:
        """Make statistics those of all, in place. weight: of this process's, which add up to 1; counts are rank 0's."""

    def spread(self, tensors: Mapping[str, Tensor]) -> None:
        """Make tensors those of rank 0, in place."""

    def hand_out(self, found: Snapshot | None) -> Snapshot | None:
        """What rank 0 found, for all."""
        return found

    def close(self) -> None:
        """Leave the others."""


class ProcessGroup(Group):
    """One of several processes. Every method is called by all of them, in the same order.

    Raises:
        PeerLost: another one has gone, from any method.
    """

    def __init__(self, meeting: Meeting) -> None:
        self.rank, self.size, self.here = meeting.rank, meeting.size, meeting.here
        self._began = cpu_seconds()

    def check(self, tell: Callable[[], str]) -> None:
        """See :meth:`Group.check`."""
        digest = float(int.from_bytes(hashlib.sha256(tell().encode()).digest()[:6], "big"))
        others = [rank for rank, one in enumerate(self.gather(digest)) if one != digest]
        if others:
            raise StepFailed(
                f"Worker {self.rank} and worker {others[0]} have not the same data, model or settings.",
                allowed="the same model, data and lighten at the same path for every worker",
            )

    def decide(self, make: Callable[[], T]) -> T:
        """See :meth:`Group.decide`."""
        text = json.dumps(make()).encode() if self.rank == 0 else b""
        size = torch.tensor([len(text)])
        self._broadcast(size)
        data = torch.frombuffer(bytearray(text or int(size)), dtype=torch.uint8)
        self._broadcast(data)
        found: T = json.loads(data.numpy().tobytes())
        return found

    def gather(self, value: float) -> list[float]:
        """See :meth:`Group.gather`."""
        return [float(one) for one in self._gathered(torch.tensor([value], dtype=torch.float64))]

    def share(self, batch: Sequence[int], least: int) -> list[int]:
        """Every so many-th row, so that lengths are alike; see :meth:`Group.share`."""
        many = max(min(self.size, len(batch) // least), 1)
        return list(batch[self.rank :: many]) if self.rank < many else []

    def draw(self, seed: int, update: int) -> None:
        """A pure function of seed, rank and update: nothing of it must be kept to go on."""
        own = drawn(seed, update, self.rank)
        seed_all(own.getrandbits(63))

    def add_up(self, net: nn.Module, loss: float, piece: int) -> tuple[float, int]:
        """See :meth:`Group.add_up`."""
        learning = [one for one in net.parameters() if one.requires_grad]
        told = torch.tensor([loss, piece, cpu_seconds() - self._began, *map(_kind, learning)], dtype=torch.float64)
        table = self._gathered(told)
        self.cpu_seconds = float(table[:, 2].sum()) - float(told[2])
        dense = []
        for weight, kinds in zip(learning, table[:, 3:].T.tolist(), strict=True):
            if DENSE in kinds:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                dense.append(weight.grad)
            elif max(kinds) > NONE:
                weight.grad = self._sparse_sum(weight, [max(int(rows), 0) for rows in kinds])
        self._sum(dense)
        pieces = [int(one) for one in table[:, 1] if one]
        return float(table[:, 0].sum()), min(pieces, default=0)

    def average(self, tensors: Sequence[Tensor], weight: float) -> None:
        """See :meth:`Group.average`. Those that are alike stay as they are, bit for bit."""
        firsts = [one.clone() for one in tensors]
        for first in firsts:
            self._broadcast(first)
        apart = [(one - first) * weight for one, first in zip(tensors, firsts, strict=True) if one.is_floating_point()]
        self._sum(apart)
        rest = iter(apart)
        for one, first in zip(tensors, firsts, strict=True):
            one.copy_(first + next(rest) if one.is_floating_point() else first)

    def spread(self, tensors: Mapping[str, Tensor]) -> None:
        """See :meth:`Group.spread`."""
        for tensor in tensors.values():
            one = tensor.contiguous()
            self._broadcast(one)
            if one is not tensor:
                tensor.copy_(one)

    def hand_out(self, found: Snapshot | None) -> Snapshot | None:
        """See :meth:`Group.hand_out`."""
        plain = self.decide(lambda: None if found is None else _described(found))
        if plain is None:
            return None
        weights, best, moments = (_tensors(found, kind, plain.pop(kind)) for kind in _KINDS)
        for some in (weights, best, moments):
            self.spread(some)
        return Snapshot(weights=weights, best=best, moments=moments, **plain)

    def close(self) -> None:
        """See :meth:`Group.close`."""
        from torch import distributed

        distributed.destroy_process_group()

    def _sparse_sum(self, weight: nn.Parameter, rows: Sequence[int]) -> Tensor:
        """The sum of sparse gradients, as the rows of all one after the other. rows: that each has."""
        most, own = max(*rows, 1), weight.grad
        numbers = torch.zeros(most, dtype=torch.long, device=weight.device)
        values = torch.zeros(most, *weight.shape[1:], dtype=weight.dtype, device=weight.device)
        if own is not None:
            numbers[: own._nnz()], values[: own._nnz()] = own._indices()[0], own._values()
        both = self._gathered(numbers), self._gathered(values)
        number, value = (torch.cat([one[rank, :count] for rank, count in enumerate(rows)]) for one in both)
        return torch.sparse_coo_tensor(number[None], value, weight.shape, check_invariants=False)

    def _sum(self, tensors: Sequence[Tensor]) -> None:
        """Sums over all processes, in place; many small tensors go as one."""
        from torch import distributed

        with _together():
            under_way = []
            for some in _buckets(tensors):
                flat = torch.cat([one.reshape(-1) for one in some])
                sums = [distributed.all_reduce(one, async_op=True) for one in flat.split(BUCKET)]
                under_way.append((some, flat, sums))
            for some, flat, sums in under_way:
                for one in sums:
                    one.wait()
                for tensor, part in zip(some, flat.split([one.numel() for one in some]), strict=True):
                    tensor.copy_(part.view(tensor.shape))

    def _gathered(self, tensor: Tensor) -> Tensor:
        """A tensor of each, stacked."""
        from torch import distributed

        found = torch.empty(self.size, *tensor.shape, dtype=tensor.dtype, device=tensor.device)
        with _together():
            distributed.all_gather(list(found), tensor)
        return found

    def _broadcast(self, tensor: Tensor) -> None:
        from torch import distributed

        if tensor.numel():
            with _together():
                distributed.broadcast(tensor, 0)


_KINDS = ("weights", "best", "moments")


def _described(found: Snapshot) -> dict[str, Any]:
    """The plain values of a snapshot, and shape and type of its tensors by name."""
    shapes = {
        kind: {name: [list(one.shape), str(one.dtype)] for name, one in getattr(found, kind).items()} for kind in _KINDS
    }
    plain = {one.name: getattr(found, one.name) for one in fields(found) if one.name not in _KINDS}
    return {**plain, **shapes}


def _tensors(found: Snapshot | None, kind: str, shapes: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a snapshot; where there is none, room for them."""
    if found is not None:
        return {name: one.contiguous() for name, one in getattr(found, kind).items()}
    return {
        name: torch.empty(shape, dtype=getattr(torch, dtype.removeprefix("torch.")))
        for name, (shape, dtype) in shapes.items()
    }


def _kind(weight: nn.Parameter) -> int:
    """``NONE``, ``DENSE``, or the rows of a sparse gradient, which is made one entry a row."""
    if weight.grad is None:
        return NONE
    if not weight.grad.is_sparse:
        return DENSE
    weight.grad = weight.grad.coalesce()
    return int(weight.grad._nnz())


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one type and device together, up to ``BUCKET`` numbers, or one that is larger."""
    some: list[Tensor] = []
    for one in tensors:
        alike = some and (one.dtype, one.device) == (some[0].dtype, some[0].device)
        if some and (not alike or sum(x.numel() for x in some) + one.numel() > BUCKET):
            yield some
            some = []
        some.append(one)
    if some:
        yield some


@contextmanager
def _together() -> Iterator[None]:
    """What the network says inside becomes an error of ours; what is wrong with tensors or memory stays what it is."""
    from torch import distributed

    try:
        yield
    except RuntimeError as error:
        words = " ".join(str(error).split())
        if not isinstance(error, distributed.DistError) and ("enforce fail" in words or not LOST.search(words)):
            raise
        raise PeerLost(f"The connection to another worker was lost ({words[:200]}).") from error


def _loopback() -> str:
    """Name of the network interface by which processes of this machine reach each other."""
    names = [name for _, name in socket.if_nameindex()]
    return next((name for name in names if name in ("lo", "lo0")), names[0] if names else "lo")
