"""Optimizer: AdamW over the dense weights, lazy Adam over the rows of the embedding that a batch touches, and Muon for
the matrices of blocks where it is asked for.

A word embedding is half of a small encoder, and a batch touches one row in fifty. Its gradient is kept sparse, and only
touched rows (and their moments) are updated: the lazy variant of Adam (``torch.optim.SparseAdam``), without decay.
Untouched rows stay as they are, bit for bit. Dense gradients are clipped inside the fused update, which takes a divisor
for mixed precision: one pass over memory instead of three.

Muon (Jordan et al. 2024, ``torch.optim.Muon``) makes the update of a matrix orthogonal; its steps are scaled to be as
large as AdamW's (Liu et al. 2025), so that one learning rate fits both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lighten.core.errors import InputError

ADAMW, MUON = "adamw", "muon"
"""Names of the optimizers."""
STEMS = ("embeddings", "embedder", "conv_stem")
"""Names of the modules that make pictures into the first features."""
WIDTH = 384
"""Width of the network at which a learning rate is meant; others scale it by ``WIDTH / width`` (Yang et al. 2022)."""

MATRIX = 2
"""Dimensions of a matrix."""
SEVERAL = 96
"""As how wide a network counts that has several widths: a tiny ResNet and ConvNeXt without a trained head were right on
59 and 33 % of new toy pictures after three passes at 1e-4, on 100 and 86 % at 4e-4."""


class Descent:
    """One optimizer for all weights of a network that learn. Call :meth:`close` when done: the network is marked until
    then.

    Args:
        learning_rate: peak, for a network of ``WIDTH``.
        weight_decay: of matrices; biases, norms and word embeddings have none.
        clip: largest norm of the whole gradient.
        betas: of the dense weights' Adam.
        lazy: whether the gradient of the word embedding is sparse; a head that shares its weights makes it dense.
        matrices: that Muon updates; none where AdamW updates all.
    """

    def __init__(
        self,
        net: nn.Module,
        learning_rate: float,
        weight_decay: float,
        clip: float,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        lazy: bool = True,
        matrices: Sequence[nn.Parameter] = (),
    ) -> None:
        self.peak = learning_rate * WIDTH / width_of(net)
        self.clip = clip
        words = words_of(net) if lazy else None
        self.words = words if words is not None and words.weight.requires_grad else None
        dense = [p for p in net.parameters() if p.requires_grad and (self.words is None or p is not self.words.weight)]
        apart = {id(one) for one in matrices}
        groups = [
            {"params": [p for p in dense if p.dim() > 1 and id(p) not in apart], "weight_decay": weight_decay},
            {"params": [p for p in dense if p.dim() <= 1], "weight_decay": 0.0},
        ]
        self.dense = dense
        self.adam = torch.optim.AdamW(groups, lr=self.peak, betas=betas, fused=True)
        self.matrices = [p for p in dense if id(p) in apart]
        self.muon: torch.optim.Optimizer | None = None
        if self.matrices:
            self.muon = torch.optim.Muon(
                self.matrices, lr=self.peak, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
            )
        self.lazy, self.was_sparse = None, False
        if self.words is not None:
            self.was_sparse, self.words.sparse = self.words.sparse, True
            self.lazy = torch.optim.SparseAdam([self.words.weight], lr=self.peak)

    def step(self, share: float) -> float:
        """Update with ``share`` of the peak learning rate and forget the gradients.

        Returns:
            The norm of the gradient before clipping; when it is not finite, nothing is updated.
        """
        held = [p.grad for p in self.dense if p.grad is not None]
        rows = self._touched_rows()
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm([*held, *([] if rows is None else [rows])])))
        if math.isfinite(float(norm)):
            divisor = torch.clamp(norm / self.clip, min=1.0)
            self._set_rate(self.peak * share)
            # The contract of GradScaler with fused optimizers: gradients are divided by grad_scale inside the kernel,
            # which reads a float32 whatever the weights are.
            self.adam.grad_scale, self.adam.found_inf = divisor.float(), torch.zeros(())
            self.adam.step()
            if self.muon is not None:
                torch._foreach_div_([p.grad for p in self.matrices if p.grad is not None], divisor)
                self.muon.step()
            if self.lazy is not None and rows is not None:
                rows.div_(divisor)
                self.lazy.step()
        for _, optimizer in self._each():
            optimizer.zero_grad()
        return float(norm)

    def forget(self) -> None:
        """Drop the gradients and moments, as though nothing had been learned."""
        for _, optimizer in self._each():
            optimizer.zero_grad()
            optimizer.state.clear()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Moments and counts of updates: tensors by name, and plain values by name."""
        tensors: dict[str, Tensor] = {}
        plain: dict[str, Any] = {}
        for kind, optimizer in self._each():
            for number, values in optimizer.state_dict()["state"].items():
                for name, value in values.items():
                    key = f"{kind}.{number}.{name}"
                    if isinstance(value, Tensor):
                        tensors[key] = value
                    else:
                        plain[key] = value
        return tensors, plain

    def restore(self, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave. The tensors are copied, so that they lie as torch wants them.

        Moments lie in memory as their weights do: fused AdamW goes through both in the order of their addresses, and
        the weights of convolutions have their channels last.
        """
        for kind, optimizer in self._each():
            record = optimizer.state_dict()
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            found: dict[int, dict[str, Any]] = {}
            for key, value in (*tensors.items(), *plain.items()):
                own, number, name = key.split(".", 2)
                if own == kind:
                    copied = _as_it_lies(value, weights[int(number)]) if isinstance(value, Tensor) else value
                    found.setdefault(int(number), {})[name] = copied
            optimizer.load_state_dict({**record, "state": found})

    def _each(self) -> list[tuple[str, torch.optim.Optimizer]]:
        every = {"dense": self.adam, "lazy": self.lazy, "muon": self.muon}
        return [(name, optimizer) for name, optimizer in every.items() if optimizer is not None]

    def close(self) -> None:
        """Take the mark off the network: the embedding's gradient is dense again."""
        if self.words is not None:
            self.words.sparse = self.was_sparse

    def _touched_rows(self) -> Tensor | None:
        """Gradient of the embedding's touched rows [touched, width], a view into it; None when there is none."""
        if self.words is None or self.lazy is None or self.words.weight.grad is None:
            return None
        weight = self.words.weight
        weight.grad = weight.grad.coalesce()
        return weight.grad._values()

    def _set_rate(self, rate: float) -> None:
        for _, optimizer in self._each():
            for group in optimizer.param_groups:
                group["lr"] = rate


def _as_it_lies(value: Tensor, weight: Tensor) -> Tensor:
    """A copy of a moment that lies in memory as its weight does; of a count, a plain copy."""
    if value.shape != weight.shape:
        return value.clone()
    return torch.empty_like(weight, dtype=value.dtype, requires_grad=False).copy_(value)


def matrices_of(blocks: Iterable[nn.Module], optimizer: str) -> list[nn.Parameter]:
    """What of the blocks of a network Muon updates, where that is the optimizer; the rest is AdamW's.

    Raises:
        InputError: the blocks have no matrices, or there is no such optimizer.
    """
    if optimizer not in (ADAMW, MUON):
        raise InputError(f"--optimizer is {optimizer!r}.", allowed=f"{ADAMW}, {MUON}")
    if optimizer == MUON and not hasattr(torch.optim, "Muon"):
        raise InputError(
            f"--optimizer {MUON} was given, and torch {torch.__version__} has none.", allowed="torch 2.9 or newer"
        )
    found = [p for block in blocks for p in block.parameters() if p.dim() == MATRIX] if optimizer == MUON else []
    if optimizer == MUON and not found:
        raise InputError(
            f"--optimizer {MUON} was given, and this network has no blocks with matrices, which it is for.",
            allowed=ADAMW,
            fix="leave --optimizer out",
        )
    return found


def words_of(net: nn.Module) -> nn.Embedding | None:
    """The word embedding of a network; None where it reads no words."""
    try:
        found = net.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    return found if isinstance(found, nn.Embedding) else None


def width_of(net: nn.Module) -> int:
    """Width of a network; ``SEVERAL`` where it has none, or several, as convolutional networks have."""
    width = getattr(getattr(net, "config", None), "hidden_size", None)
    return width if isinstance(width, int) else SEVERAL


def embedding_block(net: nn.Module) -> nn.Module:
    """The module that holds word, position and type embeddings, or makes pictures into the first features; the word
    embedding alone when they have no block."""
    words = words_of(net)
    if words is None:
        named = [module for name, module in net.named_modules() if name.rpartition(".")[2] in STEMS]
        return named[0] if named else nn.Identity()
    for name, module in net.named_modules():
        if name.rpartition(".")[2] == "embeddings" and any(part is words for part in module.modules()):
            return module
    return words
