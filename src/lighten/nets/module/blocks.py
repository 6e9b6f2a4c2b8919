"""Blocks: lists of parts that a module names itself, of which some can be left out whole.

A module says them in its dictionary ``lighten``: ``{"blocks": ["layers"]}`` are attributes that are a ``ModuleList`` or
a ``Sequential``, each of whose members takes what it gives. The first of each list stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from lighten.core.errors import ModelError
from lighten.nets.module.factory import said_by


def block_lists(module: nn.Module) -> dict[str, nn.ModuleList | nn.Sequential]:
    """The lists that a module names, by their names; empty where it names none.

    Raises:
        ModelError: it names what it does not have, or what is no list.
    """
    named = said_by(module).get("blocks", ())
    found: dict[str, nn.ModuleList | nn.Sequential] = {}
    for name in (named,) if isinstance(named, str) else named:
        try:
            part = module.get_submodule(name)
        except AttributeError:
            part = None
        if not isinstance(part, (nn.ModuleList, nn.Sequential)):
            raise ModelError(
                f"{type(module).__name__}.lighten names the blocks {name!r}, which is no list of modules.",
                allowed="names of attributes that are a ModuleList or a Sequential",
            )
        found[name] = part
    return found


def blocks(net: nn.Module) -> Sequence[nn.Module]:
    """The members of all lists that the module of a ``Bound`` network names, in the order in which it names them."""
    return tuple(block for found in block_lists(net.own).values() for block in found)


def leave_out(module: nn.Module, kept: Mapping[str, Sequence[int]]) -> None:
    """Keep some blocks of lists, in place. kept: numbers of those that stay, ascending, by the name of the list.

    Raises:
        ModelError: a list that the module does not name, or a number that it does not have.
    """
    lists = block_lists(module) if kept else {}
    for name, numbers in kept.items():
        if (
            name not in lists
            or not numbers
            or not all(isinstance(n, int) and 0 <= n < len(lists[name]) for n in numbers)
        ):
            raise ModelError(
                f"The blocks {list(numbers)} of {name!r} were kept, and {type(module).__name__} has "
                f"{len(lists[name]) if name in lists else 'no such list'}.",
                allowed="the code that the weights were trained with",
            )
        chosen = [lists[name][number] for number in numbers]
        made = nn.ModuleList(chosen) if isinstance(lists[name], nn.ModuleList) else nn.Sequential(*chosen)
        owner, _, last = name.rpartition(".")
        setattr(module.get_submodule(owner), last, made)


def chosen_blocks(sizes: Mapping[str, int], keep: float) -> dict[str, list[int]]:
    """Numbers of the blocks of each list that stay: the first, and evenly spaced ones, as many as the share says.

    >>> chosen_blocks({"a": 4, "b": 1}, 0.5), chosen_blocks({"a": 6}, 0.67)
    ({'a': [0, 3], 'b': [0]}, {'a': [0, 2, 3, 5]})
    """
    found = {}
    for name, size in sizes.items():
        count = max(1, round(keep * size))
        found[name] = [0] if count == 1 else [round(i * (size - 1) / (count - 1)) for i in range(count)]
    return found
