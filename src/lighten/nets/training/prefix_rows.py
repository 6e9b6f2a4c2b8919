"""Prefix of rows: a network that begins from what its frozen blocks put out, for rows that it is asked with again and
again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lighten.core.item import Item, content_of
from lighten.data.buckets import batches_by_size
from lighten.nets.forward import MASK, casting, full, tensors
from lighten.nets.network import Network
from lighten.nets.training.eval_mode import eval_mode
from lighten.nets.training.examples import Examples
from lighten.nets.training.learning import LearningPart, first_tensor
from lighten.nets.training.memory import is_out_of_memory
from lighten.nets.training.prefix import (
    Computed,
    PrefixCache,
    Shape,
    answering,
    key_of,
    laid_out,
    output_of,
    standing_in,
    taken_apart,
)

ROWS = 32
"""Rows of a batch that is computed at a time, where they are not padded."""
CLOSE, CLOSE_CAST = 1e-3, 0.06
"""Largest difference of two answers that rounding explains, as a share of the largest one: in float32, and where
autocast computes in bfloat16, in which the numbers behind 1 are 0.0078 apart."""


class RowsPrefix:
    """Frozen blocks of a network beside the rows that it is asked with.

    Everything here happens where the network is set up to learn (not in eval mode), in the precision that was chosen.

    Args:
        items: what ``examples`` were made of. dtype: what autocast computes in.
    """

    def __init__(
        self,
        network: Network,
        part: LearningPart,
        examples: Examples,
        items: Sequence[Item],
        threads: int,
        dtype: torch.dtype | None,
    ) -> None:
        self.network, self.part, self.examples, self.dtype = network, part, examples, dtype
        self._items, self._threads = items, threads
        self._outputs: Mapping[int, Tensor] = {}
        self._shape: Shape | None = None
        self._ahead: dict[nn.Module, Any] = {}
        self._inputs: dict[str, tuple[tuple[int, ...], torch.dtype]] = {}

    @cached_property
    def key(self) -> str:
        """Under which a cache keeps them. What is in eval mode while the rest learns counts."""
        reader, seen = self.network.reader, hashlib.sha256()
        for row, item in enumerate(self._items):
            kept = self.examples.kept
            seen.update(content_of(item).encode(errors="surrogatepass"))
            seen.update(np.asarray(kept[row]).tobytes() if kept is not None else b"")
        return key_of(
            self.part, seen.hexdigest(), type(reader).__name__, reader.sizes(), self._threads, self.dtype,
            torch.get_float32_matmul_precision(),
        )  # fmt: skip

    def fill(self, cache: PrefixCache, seconds: float = math.inf, *, sure: bool = False, among: int = 1) -> bool:
        """Compute what the cache lacks; whether there is room and time, and the network answers alike from it.

        Args:
            sure: whether it is known that it answers alike: it was seen when the training began, with other weights.
            among: see :meth:`PrefixCache.outputs`.
        """
        key, first = self.key, self.batches()[0][:2]
        with self._still():
            alike = self._begins(first) or sure
            if not alike or self._shape is None:
                return False
            found = cache.outputs(key, len(self.examples), self._computed(), seconds, among)
        if found is None:
            return False
        self._outputs = dict(enumerate(found))
        if len({one.shape for one in found}) > 1:
            self._ahead = {}
        return True

    def _begins(self, rows: Sequence[int]) -> bool:
        """See how the last frozen block answers for a few rows; whether the network answers alike from there."""
        arrays, _ = self._read(rows)
        try:
            self._look(rows, arrays)
            self._outputs = {row: self._beside_itself(row) for row in rows}
        except ValueError:
            return False
        whole = self.network.outputs(arrays)
        if self._ahead and not self._alike(rows, whole):
            self._ahead = {}
        return self._alike(rows, whole)

    def batches(self) -> list[list[int]]:
        """All rows in batches that depend on nothing but them."""
        reader, kept = self.network.reader, self.examples.kept
        if kept is None:
            return [list(range(i, min(i + ROWS, len(self.examples)))) for i in range(0, len(self.examples), ROWS)]
        return batches_by_size(reader, kept, len(kept) if reader.pads else ROWS, full(reader))

    def answers(self, rows: Sequence[int]) -> Tensor:
        """Outputs of the network for some rows, as :func:`lighten.nets.forward.run` gives them."""
        assert self._shape is not None
        outputs, places = [self._outputs[row] for row in rows], None
        if self._ahead:
            arrays = {n: torch.zeros(1, dtype=d).expand(len(rows), *s) for n, (s, d) in self._inputs.items()}
        else:
            arrays, places = self._read(rows)
        with ExitStack() as stack:
            for module, output in self._ahead.items():
                stack.enter_context(answering(module, _nothing(output, len(rows))))
            stack.enter_context(standing_in(self.part.frozen, self._shape, laid_out(outputs, places)))
            return self.network.outputs(arrays)

    def logits(self) -> NDArray[np.float32]:
        """Outputs of all rows, float32 [rows, columns], in their order."""
        found = np.empty((len(self.examples), self.network.columns), dtype=np.float32)
        with self._still():
            for batch in self.batches():
                found[batch] = self.answers(batch).numpy()
        return found

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Inside, the network answers and learns nothing."""
        with eval_mode(self.network.net), torch.no_grad(), casting(self.dtype), self.network.shortcut():
            yield

    def _beside_itself(self, row: int) -> Tensor:
        """What the last frozen block puts out for a row in other company."""
        arrays, places = self._read([row, row])
        return taken_apart(self._output(arrays), places)[0]

    def _look(self, rows: Sequence[int], arrays: dict[str, Tensor]) -> None:
        """See how the last frozen block answers, and what is computed before it.

        Raises:
            ValueError: it answers so that nobody can begin from it.
        """
        with before(self.network.net, self.part.frozen[-1]) as ahead:
            output = output_of(self.part.frozen[-1], lambda: self.network.outputs(arrays))
        self._shape = Shape(output)
        if len(first_tensor(output)) != len(rows):
            raise ValueError("it mixes rows")
        if not self.network.reader.pads:  # of inputs that are all of one size, nothing but the answers is needed
            self._ahead = {module: one for module, one in ahead.items() if _is_of_rows(one, len(rows))}
            self._inputs = {name: (tuple(one.shape[1:]), one.dtype) for name, one in arrays.items()}

    def _alike(self, rows: Sequence[int], whole: Tensor) -> bool:
        """Whether the network answers from here as it does from the beginning: ``whole``."""
        try:
            found = self.answers(rows)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            if is_out_of_memory(error):
                raise
            return False
        close = (CLOSE if self.dtype is None else CLOSE_CAST) * whole.abs().max() + 1e-6
        return whole.shape == found.shape and bool((whole - found).abs().max() <= close)

    def _computed(self) -> Iterator[Computed]:
        """See :data:`Computed`."""
        reader, kept = self.network.reader, self.examples.kept
        sizes = [reader.size(one) for one in kept] if kept is not None and reader.pads else [1] * len(self.examples)
        for batch in self.batches():
            arrays, places = self._read(batch)
            share = sum(sizes[row] for row in batch) / max(sum(sizes), 1)
            yield batch, taken_apart(self._output(arrays), places), share

    def _output(self, arrays: dict[str, Tensor]) -> Tensor:
        """What the last frozen block puts out for a batch, computed."""
        return first_tensor(output_of(self.part.frozen[-1], lambda: self.network.outputs(arrays)))

    def _read(self, rows: Sequence[int]) -> tuple[dict[str, Tensor], Tensor | None]:
        """Arrays of a batch, and which places of it are real."""
        arrays = self.network.reader.batch(self.examples.take(rows))
        mask = arrays.get(MASK)
        return tensors(arrays), None if mask is None else torch.from_numpy(mask).bool()


@contextmanager
def before(net: nn.Module, last: nn.Module) -> Iterator[dict[nn.Module, Any]]:
    """Inside, the dictionary gets what modules answer that are computed before ``last`` and asked once; where one is a
    part of another, the whole.

    The network is asked up to ``last``. What is asked again after it would answer otherwise; :meth:`RowsPrefix.fill`
    sees that.
    """
    found: list[tuple[nn.Module, Any]] = []
    begun: list[int] = []
    times: dict[nn.Module, int] = {}
    result: dict[nn.Module, Any] = {}

    def begin(module: nn.Module, _: Any) -> None:
        times[module] = times.get(module, 0) + 1
        begun.append(len(found))

    def end(module: nn.Module, _: Any, output: Any) -> None:
        found[begun.pop() :] = [] if module is last else [(module, output)]

    hooks = [module.register_forward_pre_hook(begin) for module in net.modules()]
    hooks += [module.register_forward_hook(end) for module in net.modules()]
    try:
        yield result
    finally:
        for hook in hooks:
            hook.remove()
    result |= {module: output for module, output in found if times[module] == 1}


def _is_of_rows(output: Any, rows: int) -> bool:
    """Whether an answer is one tensor of so many rows."""
    try:
        return len(first_tensor(output)) == rows and Shape(output) is not None
    except (ValueError, TypeError):
        return False


def _nothing(output: Any, rows: int) -> Any:
    """A forward that answers zeros in the shape of what was answered once."""
    shape, tensor = Shape(output), first_tensor(output)
    zeros = torch.zeros(1, dtype=tensor.dtype).expand(rows, *tensor.shape[1:])
    return lambda *_, **__: shape.like(zeros)
