"""Learning: which part of a network learns. The rest stays as it is, and is computed as where the network is used.

``freeze`` says what stays: ``embeddings``; a number, the first so many blocks and all that comes before them; or
``all``, the body, so that the head alone learns. What comes before a block is found by asking: it is what the block's
output depends on. A ``rank`` lets the linear maps of the rest learn a change of low rank, and nothing else but the
head. What a network of one's own marks as not learning (``requires_grad``) never learns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lighten.core.errors import InputError
from lighten.nets.training.low_rank import ALPHA, Change, add, changes, linears, merge
from lighten.nets.training.optimizer import embedding_block

EMBEDDINGS, ALL = "embeddings", "all"
"""What ``freeze`` may say beside a number of blocks."""
ALLOWED = f"{EMBEDDINGS}, a number of blocks from 1, or {ALL}"
QUICK = 10.0
"""How many times higher the learning rate is where a head alone learns, or changes of low rank."""

Ask = Callable[[], Tensor]
"""Computes outputs of a network for a few rows."""


def check_freeze(freeze: str) -> None:
    """Refuse what means nothing.

    Raises:
        InputError: it is none of ``ALLOWED``.
    """
    if freeze not in ("", EMBEDDINGS, ALL) and not (freeze.isascii() and freeze.isdigit() and int(freeze) > 0):
        raise InputError(f"--freeze is {freeze!r}.", allowed=ALLOWED)


def quick(freeze: str, rank: int) -> float:
    """What the usual learning rate of a network that has learned is multiplied with."""
    return QUICK if rank or freeze == ALL else 1.0


class LearningPart:
    """What of a network learns.

    Attributes:
        blocks: of the network, the first one first.
        frozen: those of them that do not learn, from the first on; empty where only embeddings or nothing is frozen.
        still: parameters that do not learn.
        learned, whole: what was learned of low rank, and names of the parameters that learned themselves, once a
            training is over.
    """

    def __init__(
        self,
        net: nn.Module,
        blocks: Sequence[nn.Module],
        ask: Ask,
        *,
        freeze: str = "",
        rank: int = 0,
        alpha: float = ALPHA,
        seed: int = 0,
        whole: bool = True,
    ) -> None:
        """Args:
            blocks: of the network, the first one first; empty where they cannot be told apart.
            whole: whether the head learns, all of it, where changes of low rank are learned.

        Raises:
            InputError: there is nothing that can be frozen so, or nothing is left to learn.
        """
        check_freeze(freeze)
        self.net, self.freeze, self.rank, self.alpha, self.seed = net, freeze, rank, alpha, seed
        self.blocks = tuple(blocks)
        self.frozen = tuple(blocks[: _count(net, blocks, freeze)])
        self.maps: dict[str, nn.Linear] = {}
        self.learned: dict[str, Change] = {}
        self.whole: list[str] = []
        still = self._still(net, blocks, ask, freeze)
        if rank:
            body = _before_head(net, blocks, ask)
            at_rest = {id(one) for one in still}
            self.maps = linears(net, (one for one in body if one.requires_grad and id(one) not in at_rest))
            _check_rank(net, rank, self.maps, freeze if linears(net, body) else "")
            still = body if whole else list(net.parameters())
        self.still: list[nn.Parameter] = still
        if not rank:
            _check_left(net, still, freeze)

    def _still(self, net: nn.Module, blocks: Sequence[nn.Module], ask: Ask, freeze: str) -> list[nn.Parameter]:
        if not freeze:
            return []
        if freeze == EMBEDDINGS:
            return _embeddings(net, blocks)
        return _before_head(net, blocks, ask) if freeze == ALL else _upstream(net, ask, self.frozen)

    def _is_of_maps(self, name: str) -> bool:
        return name.rpartition(".")[0] in self.maps

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Inside, this part learns and nothing else; afterwards all may learn, and what was learned is in the weights.

        Frozen blocks, embeddings that do not learn, and norms of batches that do not are in eval mode, whatever the
        whole network is told: nothing drops out, and statistics stay.
        """
        free = [one for one in self.net.parameters() if one.requires_grad]
        for parameter in self.still:
            parameter.requires_grad_(False)
        self.whole = [
            name for name, one in self.net.named_parameters() if one.requires_grad and not self._is_of_maps(name)
        ]
        added = add(self.maps, self.rank, self.alpha, self.seed) if self.maps else {}
        at_rest = {id(one) for one in self.still}
        held = [*self.frozen, *(m for m in self.net.modules() if _is_norm(m) and id(m.weight) in at_rest)]
        words = embedding_block(self.net)
        if any(True for _ in words.parameters()) and not any(one.requires_grad for one in words.parameters()):
            held.append(words)
        fast = torch.backends.mha.get_fastpath_enabled()
        if added:
            torch.backends.mha.set_fastpath_enabled(False)  # it reads weights and asks no module
        for module in held:
            _hold(module)
        try:
            yield
        finally:
            for module in held:
                module.__dict__.pop("train", None)
                module.train(self.net.training)
            torch.backends.mha.set_fastpath_enabled(fast)
            self.learned = changes(added)
            merge(added)
            for parameter in free:
                parameter.requires_grad_(True)


def _count(net: nn.Module, blocks: Sequence[nn.Module], freeze: str) -> int:
    """How many blocks are frozen."""
    if freeze == ALL:
        return len(blocks)
    if not freeze.isdigit():
        return 0
    if int(freeze) > len(blocks):
        raise InputError(
            f"--freeze is {freeze}, and {_name(net)} has {len(blocks) or 'no'} blocks"
            + ("." if blocks else " that can be told from the rest of it."),
            allowed=_freezable(blocks, embeddings=bool(list(embedding_block(net).parameters()))),
            fix="" if blocks else 'a module of your own names them: lighten = {"blocks": ["layers"]}',
        )
    return int(freeze)


def _embeddings(net: nn.Module, blocks: Sequence[nn.Module]) -> list[nn.Parameter]:
    found = list(embedding_block(net).parameters())
    if not found:
        raise InputError(
            f"--freeze is {EMBEDDINGS}, and {_name(net)} has none that can be told from the rest of it.",
            allowed=_freezable(blocks, embeddings=False),
        )
    return found


def _freezable(blocks: Sequence[nn.Module], *, embeddings: bool) -> str:
    """What of a network can be frozen."""
    return ", ".join([*([EMBEDDINGS] if embeddings else []), *([f"1 to {len(blocks)}"] if blocks else []), ALL])


def _check_left(net: nn.Module, still: Sequence[nn.Parameter], freeze: str) -> None:
    """Raises InputError: nothing is left that learns, or, where something is frozen, no matrix."""
    at_rest = {id(one) for one in still}
    left = [one for one in net.parameters() if one.requires_grad and id(one) not in at_rest]
    if not freeze and not left:
        raise InputError(
            f"{_name(net)} has nothing that could learn: requires_grad is False of all its parameters.",
            fix="leave it True of those that shall learn",
        )
    if freeze and not any(one.dim() > 1 for one in left):
        raise InputError(
            f"--freeze {freeze} leaves nothing of {_name(net)} to learn but biases and norms: its head shares its "
            "weights with the embeddings, or it has none.",
            fix="freeze fewer blocks, or let changes of low rank learn: --lora 16",
        )


def _check_rank(net: nn.Module, rank: int, maps: Mapping[str, nn.Linear], freeze: str) -> None:
    """Raises InputError: there are no linear maps to change, or one is narrower than the rank.

    Args:
        freeze: what leaves none; empty where there is none anyway.
    """
    if not maps and freeze:
        raise InputError(
            f"--lora {rank} with --freeze {freeze}: that leaves no linear layer of {_name(net)} that could learn a "
            "change.",
            fix="freeze fewer blocks; or leave --lora out, and what is not frozen learns by itself",
        )
    if not maps:
        raise InputError(
            f"--lora is {rank}, and {_name(net)} has no linear layers that could learn so: of convolutions, of "
            "recurrent layers and of what does not require a gradient it changes nothing.",
            fix="leave --lora out, and freeze what shall stay: --freeze",
        )
    name, least = min(((name, min(one.weight.shape)) for name, one in maps.items()), key=lambda found: found[1])
    if rank > least:
        raise InputError(
            f"--lora is {rank}, and {name} is {least} wide: a change of that rank is any change.",
            allowed=f"1 to {least}",
        )


def _before_head(net: nn.Module, blocks: Sequence[nn.Module], ask: Ask) -> list[nn.Parameter]:
    """The parameters of the body: of all blocks and what comes before; without blocks, what the last module reads."""
    if blocks:
        return _upstream(net, ask, blocks)
    head = last_module(net, ask)
    own = {id(one) for one in head.parameters()}
    return [one for one in net.parameters() if id(one) not in own]


def last_module(net: nn.Module, ask: Ask) -> nn.Module:
    """The module with weights of its own that is asked last. One that asks others begins before them."""
    begun: list[nn.Module] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, *_: begun.append(module))
        for module in net.modules()
        if module._parameters
    ]
    try:
        with torch.inference_mode():
            ask()
    finally:
        for hook in hooks:
            hook.remove()
    return begun[-1]


def _upstream(net: nn.Module, ask: Ask, blocks: Sequence[nn.Module]) -> list[nn.Parameter]:
    """What the output of the last block depends on, and the own parameters of all of them, asked for or not.

    Raises:
        InputError: the last block is not asked, or answers with no tensor.
    """
    seen: list[Tensor] = []
    hook = blocks[-1].register_forward_hook(lambda _, __, output: seen.extend(tensors_in(output)))
    own = {id(one) for some in (*blocks, embedding_block(net)) for one in some.parameters()}
    try:
        with _differentiable(net) as every, torch.enable_grad():
            ask()
            sums = [one.sum() for one in seen if one.requires_grad]
            slopes: Sequence[Tensor | None] = [None] * len(every)
            if sums:
                slopes = torch.autograd.grad(sums, every, allow_unused=True)
    finally:
        hook.remove()
    if not seen:
        raise InputError(
            f"{_name(net)} gives an answer for which the last of {len(blocks)} blocks, a "
            f"{type(blocks[-1]).__name__}, is not asked, or gives no tensor: nobody can tell what comes before it.",
            fix='name blocks of which each reads what the one before gave: lighten = {"blocks": ["layers"]}',
        )
    found = own | {id(one) for one, slope in zip(every, slopes, strict=True) if slope is not None}
    return [one for one in net.parameters() if id(one) in found]


@contextmanager
def _differentiable(net: nn.Module) -> Iterator[list[nn.Parameter]]:
    """Inside, every parameter requires a gradient that can have one: these."""
    before = [(one, one.requires_grad) for one in net.parameters() if one.is_floating_point()]
    try:
        yield [one.requires_grad_(True) for one, _ in before]
    finally:
        for one, wanted in before:
            one.requires_grad_(wanted)


def tensors_in(output: Any) -> Iterator[Tensor]:
    """All tensors of what a module answered: one, or several in tuples, lists and dictionaries."""
    if isinstance(output, Tensor):
        yield output
    some: Iterable[Any] = output.values() if isinstance(output, Mapping) else ()
    for one in output if isinstance(output, (tuple, list)) else some:
        yield from tensors_in(one)


def first_tensor(output: Any) -> Tensor:
    """The first tensor of what a module answered.

    Raises:
        ValueError: it answered with something else.
    """
    found = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(found, Tensor):
        raise ValueError("it answers with no tensor")
    return found


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm) and module.weight is not None


def _hold(module: nn.Module) -> None:
    """Keep a module in eval mode."""
    module.eval()
    module.__dict__["train"] = lambda mode=True: nn.Module.train(module, False)


def _name(net: nn.Module) -> str:
    """What a user calls a network: the class that it is of, of one's own that of the module."""
    return type(getattr(net, "own", net)).__name__
