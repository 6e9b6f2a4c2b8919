"""Changes of low rank: by hand, merged without a trace, and as an adapter that is merged by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from lighten.models.adapter import merge_adapter
from lighten.nets.encoders.network import open_network
from lighten.nets.language.network import open_language
from lighten.nets.training.low_rank import LowRankLinear, add, changes, linears, merge, write_adapter
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_language

IDS = torch.tensor([[1, 7, 20, 14, 20]])


def moved(added: dict[str, LowRankLinear]) -> None:
    """Let every change be one."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for one in added.values():
            one.up.normal_(std=0.1, generator=generator)


def test_a_change_by_hand() -> None:
    net = nn.Sequential(nn.Linear(2, 3))
    plain = net[0](x := torch.tensor([[3.0, 5.0]]))
    (one,) = add(linears(net, net.parameters()), rank=1, alpha=2.0, seed=0).values()
    with torch.no_grad():
        one.down.copy_(torch.tensor([[1.0, 2.0]]))
        one.up.copy_(torch.tensor([[1.0], [0.0], [-1.0]]))  # 3 * 1 + 5 * 2 = 13, twice
        torch.testing.assert_close(net(x) - plain, torch.tensor([[26.0, 0.0, -26.0]]))
    assert isinstance(net[0], nn.Linear) and {name for name, p in net.named_parameters() if p.requires_grad} == {
        "0.bias", "0.down", "0.up",
    }  # fmt: skip


def test_merging_changes_no_answer_and_takes_the_changes_away(tmp_path: Path) -> None:
    net = open_language(tiny_language("llama", tmp_path)).net
    names, before = list(net.state_dict()), net(IDS).logits
    maps = linears(net, [p for name, p in net.named_parameters() if "lm_head" not in name])
    added = add(maps, 4, 2.0, seed=3)
    assert len(added) == 2 * 7 and torch.equal(net(IDS).logits, before)  # the second factor begins at zero
    again = open_language(tmp_path).net
    other = add(linears(again, again.parameters()), 4, 2.0, seed=3)
    assert torch.equal(added["model.layers.0.mlp.up_proj"].down, other["model.layers.0.mlp.up_proj"].down)
    moved(added)
    changed = net(IDS).logits
    assert (changed - before).abs().max() > 0.01
    merge(added)
    torch.testing.assert_close(net(IDS).logits, changed, atol=1e-4, rtol=1e-4)
    assert list(net.state_dict()) == names and not any(isinstance(m, LowRankLinear) for m in net.modules())
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("kind", ["language", "encoder"])
def test_the_adapter_gives_the_merged_model_again(tmp_path: Path, kind: str) -> None:
    base, adapter, made = tmp_path / "base", tmp_path / "adapter", tmp_path / "made"
    net = (
        open_language(tiny_language("gemma3_text", base)).net
        if kind == "language"
        else open_network(tiny_network_folder(base, layers=2)).net
    )
    heads = {"lm_head", "classifier", "dense"}
    added = add({n: m for n, m in linears(net, net.parameters()).items() if n.split(".")[-1] not in heads}, 4, 8.0, 0)
    moved(added)
    if kind == "encoder":
        with torch.no_grad():
            net.classifier.bias += 1.0
    learned = changes(added)
    merge(added)
    for folder in (adapter, made):
        folder.mkdir()
    whole = ["classifier.weight", "classifier.bias"] if kind == "encoder" else []
    write_adapter(adapter, "mine", net, learned, 8.0, whole)
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (4, 8.0, "mine")
    assert config["task_type"] == ("CAUSAL_LM" if kind == "language" else "SEQ_CLS")
    merge_adapter(adapter, base, made)
    found = load_file(made / "model.safetensors")
    for name, tensor in net.state_dict().items():
        if name in found:
            torch.testing.assert_close(found[name], tensor, msg=name)
    assert learned.keys() <= {name.removesuffix(".weight") for name in found}
