"""Weights as they were at some moment: in memory while they are small, else in a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from lighten.store.artifacts import writing

SMALL = 256 << 20
"""Bytes up to which they are kept in memory: a second network of many gigabytes is not there."""
OPEN = Path("/proc/self/fd")
"""Where Linux has what this process has opened, whether it still has a name or not."""

Live = Mapping[str, Tensor] | Callable[[], Mapping[str, Tensor]]


class Kept:
    """A copy of tensors, which can be given back to them.

    Args:
        live: the tensors whose values are kept, by name, or what gives them: a module may put new ones in their place.
        file: where they are kept that are too large for the memory, such as in the folder of a run, which the next
            sitting takes over after a kill; None for a temporary one, which a kill takes with it.
        small: bytes up to which they are kept in memory.
    """

    def __init__(self, live: Live, file: Path | None = None, small: int = SMALL) -> None:
        self._live: Callable[[], Mapping[str, Tensor]] = live if callable(live) else lambda: live
        self._file = file
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._open = -1
        self._copies: dict[str, Tensor] = {}
        self.version = 0
        """How often something was kept: 0 while nothing is."""
        if sum(tensor.nbytes for tensor in self._live().values()) <= small:
            self._file = None
        elif file is None:
            self._folder = tempfile.TemporaryDirectory(prefix="lighten-")
            self._file = Path(self._folder.name) / "weights.safetensors"

    def close(self) -> None:
        """Remove the file; closing twice is allowed."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
        if self._open >= 0:
            os.close(self._open)
            self._open = -1
        if self._folder is not None:
            self._folder.cleanup()

    def keep(self) -> None:
        """Keep the values as they are now, in place of those before.

        Raises:
            RunFolderError: the disk is full or cannot be written.
        """
        self.put(self._live())

    def put(self, values: Mapping[str, Tensor]) -> None:
        """Keep these values.

        Raises:
            RunFolderError: the disk is full or cannot be written.
        """
        if self._file is None:
            self._copies = {name: tensor.detach().clone() for name, tensor in values.items()}
        else:
            part = self._file.with_suffix(".part")
            with writing(self._file.parent):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                try:
                    save_file({name: by_itself(tensor) for name, tensor in values.items()}, part)
                    part.replace(self._file)  # a new file: a checkpoint may hold the old one by another name
                finally:
                    part.unlink(missing_ok=True)
            if self._folder is not None:
                self._hide()
        self.version += 1

    def _hide(self) -> None:
        """Take the name from a temporary file: it is there while this process is, and after a kill it is not."""
        assert self._file is not None
        if OPEN.is_dir():
            before, self._open = self._open, os.open(self._file, os.O_RDONLY)
            if before >= 0:
                os.close(before)
            self._file.unlink()

    @property
    def file(self) -> Path | None:
        """The file that holds what is kept; None where the memory or a temporary one does, or nothing is kept."""
        return self._file if self.version and self._folder is None else None

    def values(self) -> Mapping[str, Tensor]:
        """What is kept in memory, by name; nothing where a file holds it."""
        return self._copies

    def give_back(self) -> None:
        """Put what is kept into the tensors that it came from."""
        if self._file is None:
            put_into(self._live(), self._copies, self._copies.__getitem__)
            return
        with safe_open(self._file if self._open < 0 else OPEN / str(self._open), "pt") as found:
            put_into(self._live(), found.keys(), found.get_tensor)


def put_into(live: Mapping[str, Tensor], names: Collection[str], value: Callable[[str], Tensor]) -> list[str]:
    """Put values into the live tensors of the same names. What has another shape by now is left: a cache that grew.

    Args:
        names: of the values. value: gives one by its name.

    Returns:
        Names of the values that were left, as no tensor takes them.
    """
    left = set(names)
    with torch.no_grad():
        for name, tensor in live.items():
            if name in left and (found := value(name)).shape == tensor.shape:
                tensor.copy_(found)
                left.remove(name)
    return sorted(left)


def by_itself(tensor: Tensor) -> Tensor:
    """A tensor as a file takes it: in one piece, of a memory that no other one shares."""
    found = tensor.detach().contiguous()
    return found if found.untyped_storage().nbytes() == found.nbytes else found.clone()


def tensors_of(net: nn.Module, without: Collection[str] = ()) -> dict[str, Tensor]:
    """All that a network's answers depend on, weights and buffers, by name, each once: the live tensors.

    Of a network of the user's own also what it does not save: such buffers may count something there, while those of
    models that we know follow from their settings.

    Args:
        without: names of those that are left out.
    """
    found: dict[str, Tensor] = {}
    seen: set[tuple[int, int]] = set()
    saved: dict[str, Tensor] = net.state_dict()
    others = net.named_buffers() if hasattr(net, "own") else ()
    unsaved = [(name, one.detach()) for name, one in others if name not in saved and _is_plain(one)]
    for name, tensor in (*saved.items(), *unsaved):
        key = (tensor.data_ptr(), tensor.numel())
        if name not in without and (key not in seen or not tensor.numel()):  # empty ones lie nowhere
            seen.add(key)
            found[name] = tensor.detach()
    return found


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor can count something: numbers that lie apart. Tables of rotations are complex, masks repeat."""
    if tensor.layout is not torch.strided or tensor.is_complex():
        return False
    return not any(size > 1 and not stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
