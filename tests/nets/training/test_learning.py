"""Which part of a network learns: found by asking, still while the rest learns, free afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lighten.core.errors import InputError
from lighten.nets.encoders.network import open_network
from lighten.nets.language import training as language
from lighten.nets.language.network import open_language
from lighten.nets.network import Network
from lighten.nets.training.learning import LearningPart, check_freeze, last_module, tensors_in
from lighten.nets.training.low_rank import LowRankLinear
from lighten.nets.training.rows import learning_part
from lighten.nets.vision.network import open_vision
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_language
from lighten.testing.tiny_pictures import FAMILIES, tiny_vision_folder


@pytest.fixture
def encoder(tmp_path: Path) -> Network:
    return open_network(tiny_network_folder(tmp_path, layers=3))


def learns(part: LearningPart) -> set[str]:
    """Names of what learns while the network learns, cut before the number of a layer."""
    with part.prepared():
        return {name for name, one in part.net.named_parameters() if one.requires_grad}


def test_the_first_blocks_with_all_before_them_stay(encoder: Network) -> None:
    found = learns(learning_part(encoder, "2", 0, 0))
    assert all(name.startswith(("bert.encoder.layer.2.", "bert.pooler.", "classifier.")) for name in found)
    assert "bert.encoder.layer.2.attention.self.query.weight" in found
    assert learns(learning_part(encoder, "all", 0, 0)) == {
        "bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias",
    }  # fmt: skip
    some = learns(learning_part(encoder, "embeddings", 0, 0))
    assert some and not any(".embeddings." in name for name in some)
    assert learns(learning_part(encoder, "", 0, 0)) == {name for name, _ in encoder.net.named_parameters()}


def test_changes_of_low_rank_and_the_head_learn(encoder: Network) -> None:
    part = learning_part(encoder, "1", 4, 0)
    found = learns(part)
    changed = {name for name in found if name.endswith((".down", ".up"))}
    assert len(changed) == 2 * 2 * 6 and not any("layer.0." in name for name in changed)
    assert found - changed == {
        f"{name}.{kind}" for name in ("bert.pooler.dense", "classifier") for kind in ("weight", "bias")
    }
    assert len(part.learned) == 12 and not any(isinstance(m, LowRankLinear) for m in encoder.net.modules())
    assert all(one.requires_grad for one in encoder.net.parameters())


def test_a_language_model_learns_changes_alone(tmp_path: Path) -> None:
    model = open_language(tiny_language("llama", tmp_path, tied=False))
    found = learns(language.learning_part(model.net, "", 2, 0))
    assert found and all(name.endswith((".down", ".up")) for name in found)
    assert learns(language.learning_part(model.net, "all", 0, 0)) == {"model.norm.weight", "lm_head.weight"}
    tied = open_language(tiny_language("gemma3_text", tmp_path / "tied"))
    assert not any("lm_head" in name or "embed" in name for name in learns(language.learning_part(tied.net, "", 2, 0)))
    with pytest.raises(InputError, match=r"leaves nothing of Gemma3ForCausalLM to learn(.|\n)*--lora 16"):
        language.learning_part(tied.net, "all", 0, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_pictures_has_blocks_and_a_head(tmp_path: Path, family: str) -> None:
    network = open_vision(tiny_vision_folder(tmp_path, family))
    head = learns(learning_part(network, "all", 0, 0))
    assert any("classifier" in name for name in head)
    assert len(network.blocks) > 1
    some = learns(learning_part(network, "1", 0, 0))
    assert head < some and len(some) < len(list(network.net.parameters()))


def test_what_is_frozen_is_computed_as_in_use(tmp_path: Path) -> None:
    network = open_vision(tiny_vision_folder(tmp_path, "resnet"))
    net, part = network.net, learning_part(network, "2", 0, 0)
    before = {name: one.clone() for name, one in net.named_buffers()}
    with part.prepared():
        net.train()
        net(torch.rand(4, 3, 32, 32))
        moved = {name for name, one in net.named_buffers() if not torch.equal(one, before[name])}
    stages = {name.split(".")[3] for name in moved if ".stages." in name}
    assert stages == {"1"} and not any("embedder" in name for name in moved)
    net.train()
    assert all(module.training for module in net.modules())


def test_what_cannot_be_frozen_says_what_can(encoder: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--freeze is 9, and BertFor\w+ has 3 blocks(.|\n)*embeddings, 1 to 3, all"):
        learning_part(encoder, "9", 0, 0)
    with pytest.raises(InputError, match=r"--lora is 33(.|\n)*1 to 32"):
        learning_part(encoder, "", 33, 0)
    with pytest.raises(InputError, match=r"--lora 8 with --freeze 3: that leaves no linear layer of BertFor"):
        learning_part(encoder, "3", 8, 0)
    resnet = open_vision(tiny_vision_folder(tmp_path / "p", "resnet"))
    with pytest.raises(InputError, match="no linear layers that could learn so"):
        learning_part(resnet, "", 4, 0)
    own = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    ask = lambda: own(torch.ones(1, 4))  # noqa: E731
    assert last_module(own, ask) is own[2]
    assert [id(one) for one in LearningPart(own, (), ask, freeze="all").still] == [
        id(one) for one in own[0].parameters()
    ]
    with pytest.raises(InputError, match=r"--freeze is 1, and Sequential has no blocks(.|\n)*: all(.|\n)*lighten = "):
        LearningPart(own, (), ask, freeze="1")
    with pytest.raises(InputError, match=r"none that can be told(.|\n)*: all"):
        LearningPart(own, (), ask, freeze="embeddings")
    for wrong in ("0", "-1", "half", "1.5"):
        with pytest.raises(InputError, match="--freeze is"):
            check_freeze(wrong)


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_embeddings_that_do_not_learn_drop_nothing(tmp_path: Path, family: str) -> None:
    network = open_network(tiny_network_folder(tmp_path, family, layers=2))
    (words,) = [module for name, module in network.net.named_modules() if name.endswith(".embeddings")]
    for freeze, still in (("", False), ("embeddings", True), ("1", True)):
        with learning_part(network, freeze, 0, 0).prepared():
            network.net.train()
            assert words.training is words.dropout.training is not still
            assert network.net.classifier.training
        assert words.training


class Own(nn.Module):  # type: ignore[misc, unused-ignore]
    """A network with parameters of its own, whose blocks lie beside one another."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.layers[0](x * self.scale)
        second = self.layers[1](x * self.scale)
        return self.head(self.layers[2](first + second))  # type: ignore[no-any-return]


def test_all_frozen_blocks_stay_and_what_never_learned_is_left_alone() -> None:
    own = Own()
    own.layers[2].bias.requires_grad_(False)
    part = LearningPart(own, tuple(own.layers), lambda: own(torch.ones(1, 4)), freeze="2")
    assert learns(part) == {"layers.2.weight", "head.weight", "head.bias"}
    assert not own.layers[2].bias.requires_grad and own.layers[0].bias.requires_grad
    assert last_module(own, lambda: own(torch.ones(1, 4))) is own.head  # it has parameters itself, and ends last
    part = LearningPart(own, tuple(own.layers), lambda: own(torch.ones(1, 4)), freeze="1", rank=2)
    own.layers[1].weight.requires_grad_(False)
    part = LearningPart(own, tuple(own.layers), lambda: own(torch.ones(1, 4)), freeze="1", rank=2)
    assert set(part.maps) == {"layers.2"}
    own.requires_grad_(False)
    with pytest.raises(InputError, match="Own has nothing that could learn"):
        LearningPart(own, tuple(own.layers), lambda: own(torch.ones(1, 4)))


def test_blocks_may_answer_with_anything_that_holds_a_tensor() -> None:
    class Answers(nn.Linear):  # type: ignore[misc, unused-ignore]
        def forward(self, x: torch.Tensor) -> dict[str, list[torch.Tensor]]:
            return {"x": [super().forward(x)]}

    first, head = Answers(4, 4), nn.Linear(4, 2)
    net = nn.ModuleList([first, head])
    part = LearningPart(net, [first], lambda: head(first(torch.ones(1, 4))["x"][0]), freeze="1")
    assert [id(one) for one in part.still] == [id(one) for one in first.parameters()]
    assert len([*tensors_in((torch.ones(1), {"a": [torch.ones(1), "b"]}, None))]) == 2
    with pytest.raises(
        InputError, match=r"ModuleList gives an answer for which the last of 1 blocks, a Answers, is not"
    ):
        LearningPart(net, [first], lambda: head(torch.ones(1, 4)), freeze="1")
