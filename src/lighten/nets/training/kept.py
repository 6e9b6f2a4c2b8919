"""Weights as they were at some moment: in memory while they are small, else in a file."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

SMALL = 256 << 20
"""Bytes up to which they are kept in memory: a second network of many gigabytes is not there."""


class Kept:
    """A copy of tensors, which can be given back to them.

    Args:
        live: the tensors whose values are kept, by name.
        small: bytes up to which they are kept in memory.
    """

    def __init__(self, live: Mapping[str, Tensor], small: int = SMALL) -> None:
        self._live = live
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copies: dict[str, Tensor] = {}
        self.version = 0
        """How often something was kept: 0 while nothing is."""
        if sum(tensor.nbytes for tensor in live.values()) > small:
            self._folder = tempfile.TemporaryDirectory(prefix="lighten-")
            self._file = Path(self._folder.name) / "weights.safetensors"

    def close(self) -> None:
        """Remove the file; closing twice is allowed."""
        if self._folder is not None:
            self._folder.cleanup()

    def keep(self) -> None:
        """Keep the values as they are now, in place of those before."""
        self.put(self._live)

    def put(self, values: Mapping[str, Tensor]) -> None:
        """Keep these values."""
        if self._folder is None:
            self._copies = {name: tensor.detach().clone() for name, tensor in values.items()}
        else:
            save_file({name: tensor.detach().contiguous() for name, tensor in values.items()}, self._file)
        self.version += 1

    def values(self) -> Mapping[str, Tensor]:
        """What is kept, by name."""
        if self._folder is None:
            return self._copies
        with safe_open(self._file, "pt") as found:
            return {name: found.get_tensor(name) for name in self._live}

    def give_back(self) -> None:
        """Put what is kept into the tensors that it came from."""
        with torch.no_grad():
            if self._folder is None:
                for name, tensor in self._copies.items():
                    self._live[name].copy_(tensor)
                return
            with safe_open(self._file, "pt") as found:
                for name, tensor in self._live.items():
                    tensor.copy_(found.get_tensor(name))


def tensors_of(net: nn.Module, without: Collection[str] = ()) -> dict[str, Tensor]:
    """All that a network's answers depend on, weights and buffers, by name, each once: the live tensors.

    Args:
        without: names of those that are left out.
    """
    found: dict[str, Tensor] = {}
    seen: set[tuple[int, int]] = set()
    for name, tensor in net.state_dict().items():
        key = (tensor.data_ptr(), tensor.numel())
        if name not in without and (key not in seen or not tensor.numel()):  # empty ones lie nowhere
            seen.add(key)
            found[name] = tensor.detach()
    return found
