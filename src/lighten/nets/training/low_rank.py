"""Low rank: linear maps that learn a change of low rank beside their weights, which is merged in the end.

Of a weight W [out, in] a change s B A is learned, with A [rank, in] and B [out, rank]
(LoRA, https://arxiv.org/abs/2106.09685). B begins at zero, so that nothing changes at first; s is alpha over the rank.
The module stays where it is and what it is, an ``nn.Linear``: whatever walks through a network finds its parts as ever.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

ALPHA = 32.0
"""Scale of the changes, as a multiple of one over the rank: the rate that suits a network then hardly depends on it."""


class LowRankLinear(nn.Linear):  # type: ignore[misc, unused-ignore]
    """A linear map that was given a change: ``x W' + b + scale * (x A') B'``. :func:`add` makes them, in place."""

    scale: float
    down: nn.Parameter
    up: nn.Parameter

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs: [..., in]. Returns [..., out]."""
        return linear(inputs, self.weight, self.bias) + linear(linear(inputs, self.down), self.scale * self.up)


CONFIG, WEIGHTS, BEFORE = "adapter_config.json", "adapter_model.safetensors", "base_model.model."
"""Files of an adapter as peft writes one, and what it puts before every name."""
TASKS: Mapping[str, str] = {"ForCausalLM": "CAUSAL_LM", "ForSequenceClassification": "SEQ_CLS"}
"""What peft calls what networks are for, by how their names end."""


@dataclass(frozen=True)
class Change:
    """What a linear map learned. down: A [rank, in]. up: B [out, rank]. scale: s."""

    down: Tensor
    up: Tensor
    scale: float


def linears(net: nn.Module, within: Iterable[nn.Parameter]) -> dict[str, nn.Linear]:
    """Linear maps by name whose weights are among ``within``.

    Heirs of ``nn.Linear`` compute in ways of their own, and are left out, as is a head that is the embedding.
    """
    words = {id(one.weight) for one in net.modules() if isinstance(one, nn.Embedding)}
    chosen = {id(one) for one in within} - words
    return {n: m for n, m in net.named_modules() if type(m) is nn.Linear and id(m.weight) in chosen}


def add(maps: Mapping[str, nn.Linear], rank: int, alpha: float, seed: int) -> dict[str, LowRankLinear]:
    """Give every map a change of at most ``rank``, in place; their own weights learn no more.

    Args:
        seed: of the first factors.
    """
    found = {}
    generator = torch.Generator().manual_seed(seed)
    for name, module in maps.items():
        least = min(rank, *module.weight.shape)
        bound = 1.0 / math.sqrt(module.in_features)  # as nn.Linear begins, and peft
        down = torch.empty(least, module.in_features).uniform_(-bound, bound, generator=generator)
        module.down, module.up = nn.Parameter(down), nn.Parameter(torch.zeros(module.out_features, least))
        module.scale = alpha / least
        module.__class__ = LowRankLinear
        module.weight.requires_grad_(False)
        assert isinstance(module, LowRankLinear)
        found[name] = module
    return found


def changes(added: Mapping[str, LowRankLinear]) -> dict[str, Change]:
    """What was learned, by the names of the maps: copies."""
    return {n: Change(m.down.detach().clone(), m.up.detach().clone(), m.scale) for n, m in added.items()}


def merge(added: Mapping[str, LowRankLinear]) -> None:
    """Add what was learned to the weights, and make the maps what they were."""
    for module in added.values():
        if module.up.any():
            with torch.no_grad():
                module.weight += module.scale * (module.up @ module.down)
        module.weight.requires_grad_(True)
        del module.down, module.up, module.scale
        module.__class__ = nn.Linear


def write_adapter(
    folder: Path, base: str, net: nn.Module, learned: Mapping[str, Change], alpha: float, whole: Collection[str]
) -> None:
    """Write what was learned as an adapter that peft loads, into an empty folder.

    Args:
        base: what the user called the model that was trained. learned: as :func:`changes` gave it.
        whole: names of the weights that learned themselves, such as those of a head.
    """
    from safetensors.torch import save_file

    kind = next((task for end, task in TASKS.items() if type(net).__name__.endswith(end)), None)
    heads = sorted({name.rpartition(".")[0] for name in whole})
    tensors = {f"{name}.lora_A.weight": one.down for name, one in learned.items()}
    tensors |= {f"{name}.lora_B.weight": one.up for name, one in learned.items()}
    tensors |= {name: one.detach() for name, one in net.named_parameters() if name.rpartition(".")[0] in heads}
    config = {
        "peft_type": "LORA", "task_type": kind, "base_model_name_or_path": base,
        "r": max(len(one.down) for one in learned.values()), "lora_alpha": alpha, "lora_dropout": 0.0, "bias": "none",
        "fan_in_fan_out": False, "inference_mode": True, "init_lora_weights": True, "use_rslora": False,
        "target_modules": sorted(learned), "modules_to_save": heads or None,
    }  # fmt: skip
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    save_file({BEFORE + name: one.contiguous() for name, one in tensors.items()}, folder / WEIGHTS)
