"""Walk: the parts of an encoder that pruning speaks of, found by their names and types.

Families differ in how they call things, not in what there is: a list of equal layers; in each layer query, key, value
and output projections and two linear maps of a feed-forward block. One walk finds them in all families. What a family
does otherwise (shared layers, fused projections, positions that enter every layer) is in ``REFUSALS``, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from lighten.core.errors import ModelError
from lighten.nets.architectures import DECODERS, ENCODERS

QUERY = ("query", "q", "q_lin", "query_proj")
KEY = ("key", "k", "k_lin", "key_proj")
VALUE = ("value", "v", "v_lin", "value_proj")
OUT = ("dense", "o", "out_lin", "out_proj")

_SHARED = "every layer of albert is the same one"
_GATED = "the layers of a decoder have gated feed-forward blocks, and heads that share keys and values"
_DECODERS = dict.fromkeys(DECODERS, _GATED)
_FUSED = "modernbert fuses its projections and alternates two kinds of attention"
_WHOLE: Mapping[str, str] = {
    "albert": _SHARED,
    "modernbert": _FUSED,
    "mobilebert": "mobilebert narrows every layer and has several feed-forward blocks in each",
    "deberta": "deberta fuses its projections",
    "ernie": "nobody has tried yet whether ernie can be cut as bert can",
}
REFUSALS: Mapping[str, Mapping[str, str]] = {
    "layers": _WHOLE,
    "ff": {**_WHOLE, **_DECODERS},
    "heads": {
        **_DECODERS,
        **_WHOLE,
        "mpnet": "the position bias of mpnet is shared by the heads of all layers",
        "deberta-v2": "the positions of deberta-v2 enter the heads of all layers",
    },
}
"""What cannot be cut (``layers``, ``ff``, ``heads``), by family, and why."""


@dataclass(frozen=True)
class Layer:
    """One encoder layer.

    Attributes:
        module: the whole layer.
        attention: the module that owns query, key and value.
        query, key, value: [heads * head_size, hidden].
        out: [hidden, heads * head_size].
        up, down: feed-forward maps, [ff, hidden] and [hidden, ff].
    """

    module: nn.Module
    attention: nn.Module
    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Linear
    up: nn.Linear
    down: nn.Linear


def refusal(facts: Mapping[str, Any], what: str) -> str:
    """Why ``what`` (``layers``, ``ff`` or ``heads``) of a network with these facts cannot be cut; empty when it can."""
    family = str(facts.get("family", ""))
    known = not family or facts.get("language") or family in (*ENCODERS, *DECODERS)
    return REFUSALS[what].get(family, "") if known else f"{family} is no family of encoders of texts"


def layer_list(net: nn.Module) -> nn.ModuleList:
    """The list of encoder layers of a network.

    Raises:
        ModelError: there is not exactly one list as long as the config says.
    """
    count = net.config.num_hidden_layers
    lists = [
        m for m in net.modules() if isinstance(m, nn.ModuleList) and len(m) == count and len(set(map(type, m))) == 1
    ]
    lists = [found for found in lists if not any(found is not other and _inside(found, other) for other in lists)]
    if len(lists) != 1:
        raise ModelError(
            f"{type(net).__name__} has {len(lists)} lists of {count} equal layers; its layers cannot be told apart.",
            allowed="one list",
        )
    return lists[0]


def blocks(net: nn.Module) -> Sequence[nn.Module]:
    """The layers of a network; empty where they cannot be told apart."""
    try:
        return tuple(layer_list(net))
    except ModelError:
        return ()


def layers(net: nn.Module) -> tuple[Layer, ...]:
    """The parts of every encoder layer of a network, first layer first.

    Raises:
        ModelError: the family is refused, or a layer is not built as expected.
    """
    family = net.config.model_type
    if family in REFUSALS["ff"]:
        raise ModelError(f"The layers of this network cannot be taken apart: {REFUSALS['ff'][family]}.")
    return tuple(_layer(module, f"layer {i}") for i, module in enumerate(layer_list(net)))


def head_size(net: nn.Module) -> int:
    """Width of one attention head, which pruning never changes: config.hidden_size / config.num_attention_heads."""
    return int(net.config.hidden_size // net.config.num_attention_heads)


def shapes(net: nn.Module) -> dict[str, list[int]]:
    """``heads`` and ``ff`` (sizes) per layer as they are now; empty for families that cannot be taken apart."""
    if net.config.model_type in REFUSALS["ff"]:
        return {}
    size, parts = head_size(net), layers(net)
    return {
        "heads": [part.query.out_features // size for part in parts],
        "ff": [part.up.out_features for part in parts],
    }


def _layer(module: nn.Module, name: str) -> Layer:
    attention: dict[str, nn.Linear] = {}
    other: list[nn.Linear] = []
    for path, part in module.named_modules():
        if isinstance(part, nn.Linear):
            first, _, _ = path.partition(".")
            if first in ("attention", "attn"):
                attention[path] = part
            else:
                other.append(part)
    found = {}
    for role, names in (("query", QUERY), ("key", KEY), ("value", VALUE), ("out", OUT)):
        paths = [path for path in attention if path.rpartition(".")[2] in names]
        if len(paths) != 1:
            raise ModelError(f"{name} of the network has {len(paths)} {role} projections.", allowed="one")
        found[role] = paths[0]
    if len(other) != 2 or other[0].out_features != other[1].in_features:
        raise ModelError(f"{name} of the network has no feed-forward block of two linear maps.")
    owner = module.get_submodule(found["query"].rpartition(".")[0])
    projections = {role: attention[path] for role, path in found.items()}
    return Layer(module=module, attention=owner, up=other[0], down=other[1], **projections)


def _inside(part: nn.Module, whole: nn.Module) -> bool:
    return any(part is module for module in whole.modules())
