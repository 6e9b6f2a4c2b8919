"""Prefix: what blocks that do not learn put out, computed once for each row, and kept.

Where the first blocks of a network do not learn, they make the same of a row in every pass. That is kept in memory
while it fits, else in a file of the run, whose name is a hash of all that it depends on: the weights, the rows, the
precision. Rows are computed in batches that depend on nothing but the rows, so that a training which is taken up, or
another trial of a search, begins from the same numbers, bit for bit. Beside a training that computes everything anew,
padding and batches differ, and with them the rounding.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from lighten.core.artifact import sha256
from lighten.core.errors import RunFolderError
from lighten.isolate.machine import available_memory
from lighten.nets.network import channels_last
from lighten.nets.training.learning import LearningPart, first_tensor
from lighten.store.artifacts import disk_error
from lighten.store.durable import sync
from lighten.store.folder import write_whole

SHARE, DISK = 0.25, 0.5
"""Part of the memory that is left, and of the disk, which may be taken."""
VERSION = 1
"""Of the files."""

Computed = tuple[Sequence[int], Sequence[Tensor], float]
"""Numbers of some rows, what the block put out for each, and the share of all rows that they are."""


@dataclass
class PrefixCache:
    """What frozen blocks put out, by a key. Trials of a search that share one compute it once.

    Attributes:
        folder: for what does not fit the memory; None for nowhere.
        room: bytes of memory that may be taken; None for a part of what is left.
    """

    folder: Path | None = None
    room: float | None = None
    _held: dict[str, list[Tensor]] = field(default_factory=dict)

    def knows(self, key: str) -> bool:
        """Whether something is kept under a key."""
        return key in self._held or (self.folder is not None and self._index(key).is_file())

    def outputs(
        self, key: str, many: int, computed: Iterable[Computed], seconds: float = math.inf, among: int = 1
    ) -> list[Tensor] | None:
        """What is kept under ``key``, or is ``computed``: a tensor for each of ``many`` rows. None where neither
        memory nor disk has room, or making it would take more than ``seconds``.

        Args:
            among: processes that share what is left here, and each keep it for themselves.

        Raises:
            RunFolderError: the file cannot be written.
        """
        if key not in self._held:
            found = self._opened(key, many) or self._filled(key, many, computed, time.perf_counter() + seconds, among)
            if found is None:
                return None
            self._held[key] = found
        return self._held[key]

    def _filled(self, key: str, many: int, computed: Iterable[Computed], end: float, among: int) -> list[Tensor] | None:
        room = SHARE * available_memory() / among if self.room is None else self.room
        kept: list[Tensor | None] = [None] * many
        file: _Written | None = None
        done, size, begun = 0.0, 0, time.perf_counter()
        try:
            for rows, tensors, share in computed:
                done, size = done + share, size + sum(one.nbytes for one in tensors)
                if begun + (time.perf_counter() - begun) / done > end:
                    return None
                if file is None and size / done > room:
                    if self.folder is None or size / done > DISK * self._free() / among:
                        return None
                    with self._writing():
                        file = _Written(self.folder / f".{key}.{os.getpid()}.part", many)
                        for row, one in enumerate(kept):
                            if one is not None:
                                file.write(row, one)
                    kept = []
                if file is None:
                    for row, one in zip(rows, tensors, strict=True):
                        kept[row] = one.clone()
                    continue
                with self._writing():
                    for row, one in zip(rows, tensors, strict=True):
                        file.write(row, one)
            if file is None:
                return [one for one in kept if one is not None]
            with self._writing():
                file.close()
                self._seal(key, file)
            return self._opened(key, many)
        finally:
            if file is not None:
                file.discard()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Inside, nothing but the folder can be at fault: an ``OSError`` of rows that cannot be read is none of it."""
        try:
            yield
        except OSError as error:
            assert self.folder is not None
            raise disk_error(error, self.folder) from error

    def _free(self) -> int:
        assert self.folder is not None
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.folder).free

    def _index(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{key}.json"

    def _seal(self, key: str, file: _Written) -> None:
        assert self.folder is not None
        file.path.replace(self.folder / f"{key}.bin")
        sync(self.folder)
        record = {
            "version": VERSION, "key": key, "dtype": file.dtype, "elements": file.elements, "rows": file.rows,
            "sha256": file.digest.hexdigest(),
        }  # fmt: skip
        write_whole(self._index(key), json.dumps(record))

    def _opened(self, key: str, many: int) -> list[Tensor] | None:
        """What a file holds; None where there is none, or it is damaged."""
        if self.folder is None or not self._index(key).is_file():
            return None
        data = self.folder / f"{key}.bin"
        try:
            record = json.loads(self._index(key).read_text(encoding="utf-8"))
            whole = record["version"] == VERSION and record["sha256"] == sha256(data) and len(record["rows"]) == many
            dtype, elements = getattr(torch, record["dtype"]), int(record["elements"])
            rows = [(int(begin), tuple(map(int, shape))) for begin, shape in record["rows"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if not whole:
            return None
        flat = torch.from_file(str(data), shared=False, size=elements, dtype=dtype)
        return [flat[begin : begin + math.prod(shape)].view(shape) for begin, shape in rows]


class _Written:
    """A file that rows are written to one after the other. dtype: of all; rows: where each begins, and its shape."""

    def __init__(self, path: Path, many: int) -> None:
        self.path, self.digest = path, hashlib.sha256()
        self._stream: BinaryIO | None = path.open("wb")
        self.rows: list[tuple[int, list[int]]] = [(0, [])] * many
        self.elements, self.dtype = 0, ""

    def write(self, row: int, one: Tensor) -> None:
        """Add what belongs to a row."""
        assert self._stream is not None
        data = one.contiguous().view(torch.uint8).numpy().tobytes()
        self._stream.write(data)
        self.digest.update(data)
        self.rows[row] = (self.elements, list(one.shape))
        self.elements, self.dtype = self.elements + one.numel(), str(one.dtype).removeprefix("torch.")

    def close(self) -> None:
        """Wait until it is on the disk."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            sync(self.path)

    def discard(self) -> None:
        """Leave nothing that was not sealed."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self.path.unlink(missing_ok=True)


def no_room(folder: Path | None) -> RunFolderError:
    """That a training cannot go on as it began."""
    return RunFolderError(
        f"What the frozen blocks put out was kept when this training began, and now there is no room for it in "
        f"{folder or 'memory'}.",
        fix="make room and give the same command with --resume; it goes on from there",
    )


def key_of(part: LearningPart, *told: Any) -> str:
    """Hash of the frozen blocks, with all that is around them, and of whatever else decides what they put out."""
    found, at_rest, net = hashlib.sha256(), {id(one) for one in part.still}, part.net
    said = [VERSION, torch.__version__, getattr(net, "config", ""), *part.frozen, *told]
    found.update("\0".join(map(str, said)).encode())
    for name, parameter in net.named_parameters():
        if id(parameter) in at_rest:
            _count(found, name, parameter)
    for path, module in net.named_modules():
        for name, buffer in module.named_buffers(recurse=False) if not module.training else ():
            _count(found, f"{path}.{name}", buffer)
    return found.hexdigest()[:32]


def _count(digest: Any, name: str, tensor: Tensor) -> None:
    digest.update(name.encode())
    digest.update(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().data)


class Shape:
    """How a block answers: with a tensor, or with a tuple of one and of what is none.

    Raises:
        ValueError: it answers with something else.
    """

    def __init__(self, output: Any) -> None:
        others = () if isinstance(output, Tensor) else tuple(output[1:]) if isinstance(output, tuple) else None
        if others is None or any(isinstance(one, (Tensor, tuple, list)) for one in others):
            raise ValueError("it answers with several tensors")
        self.others, self.plain = others, isinstance(output, Tensor)
        tensor = first_tensor(output)
        self.last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)

    def like(self, tensor: Tensor) -> Any:
        """An answer with this tensor."""
        laid = channels_last(tensor) if self.last else tensor
        return laid if self.plain else (laid, *self.others)


class _Enough(Exception):
    """What a block answered; nothing after it is computed."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def output_of(block: nn.Module, ask: Callable[[], object]) -> Any:
    """What a block of a network answers while the network is asked; what comes after it is not computed.

    Raises:
        ValueError: it is not asked.
    """

    def enough(_: nn.Module, __: Any, output: Any) -> None:
        raise _Enough(output)

    hook = block.register_forward_hook(enough)
    try:
        ask()
    except _Enough as found:
        return found.output
    finally:
        hook.remove()
    raise ValueError("it is not asked")


@contextmanager
def standing_in(blocks: Sequence[nn.Module], shape: Shape, value: Tensor) -> Iterator[None]:
    """Inside, blocks compute nothing: each answers with what it is given, and the last of them with ``value``."""

    def passing(*values: Any, **named: Any) -> Any:
        return shape.like(values[0] if values else next(iter(named.values())))

    with ExitStack() as stack:
        for block in blocks[:-1]:
            stack.enter_context(answering(block, passing))
        stack.enter_context(answering(blocks[-1], lambda *_, **__: shape.like(value)))
        yield


@contextmanager
def answering(module: nn.Module, forward: Any) -> Iterator[None]:
    """Inside, a module computes ``forward`` instead of its own."""
    before = module.__dict__.get("forward")
    module.__dict__["forward"] = forward
    try:
        yield
    finally:
        if before is None:
            del module.__dict__["forward"]
        else:
            module.__dict__["forward"] = before


def laid_out(outputs: Sequence[Tensor], places: Tensor | None) -> Tensor:
    """What a block put out for the rows of a batch, as it would lie in one.

    Args:
        places: which places of the batch are real, bool [rows, length], of what is padded.
    """
    counts = [] if places is None else places.sum(1).tolist()
    if places is None or [len(one) for one in outputs] != counts or bool(places.all()):
        return torch.stack(list(outputs))
    found = outputs[0].new_zeros(*places.shape, *outputs[0].shape[1:])
    found[places] = torch.cat(list(outputs))
    return found


def taken_apart(output: Tensor, places: Tensor | None) -> list[Tensor]:
    """What :func:`laid_out` puts together: [rows, ...] as one tensor for each row, padding left out."""
    if places is None or output.dim() < 3 or output.shape[1] != places.shape[1]:
        return list(output)
    return [one[held] for one, held in zip(output, places, strict=True)]
