"""LoRA adapters: merged by the formula of peft, computed here by hand, into bases of every way of saving them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lighten.core.errors import ModelError
from lighten.core.matching import facts_of
from lighten.models.adapter import check_adapter
from lighten.models.bring import bring, find
from lighten.nets.encoders.network import open_network
from lighten.nets.facts import language_facts
from lighten.nets.language.network import open_language
from lighten.testing.tiny import tiny_network_folder
from lighten.testing.tiny_language import tiny_judge, tiny_language

QUERY = "bert.encoder.layer.0.attention.self.query"
PROJ = "model.layers.1.self_attn.q_proj"


def adapter(folder: Path, base: Path | str, parts: dict[str, torch.Tensor], task: str = "SEQ_CLS", **more: Any) -> Path:
    """An adapter's folder as peft writes it: A and B of modules by name, and whole weights."""
    folder.mkdir()
    told = {"peft_type": "LORA", "task_type": task, "base_model_name_or_path": str(base), "r": 2, "lora_alpha": 8}
    (folder / "adapter_config.json").write_text(json.dumps({**told, **more}))
    save_file(
        {f"base_model.model.{name}": value for name, value in parts.items()}, folder / "adapter_model.safetensors"
    )
    return folder


def low_rank(module: str, out: int, into: int, rank: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        f"{module}.lora_A.weight": torch.randn(rank, into, generator=generator),
        f"{module}.lora_B.weight": torch.randn(out, rank, generator=generator),
    }


def weight(network: Any, name: str) -> torch.Tensor:
    found: torch.Tensor = network.net.state_dict()[name]
    return found


@pytest.mark.parametrize(("more", "scale"), [({}, 4.0), ({"use_rslora": True}, 8 / 2**0.5)])
def test_a_classifier_is_merged(tmp_path: Path, more: dict[str, Any], scale: float) -> None:
    base = tiny_network_folder(tmp_path / "base", layers=2)
    parts = low_rank(QUERY, 32, 32)
    head = torch.randn(2, 32)
    made = adapter(tmp_path / "lora", base, {**parts, "classifier.weight": head}, **more)
    before, after = open_network(base), open_network(bring(str(made), tmp_path / "out"))
    a, b = parts.values()
    expected = weight(before, f"{QUERY}.weight") + scale * b @ a
    torch.testing.assert_close(weight(after, f"{QUERY}.weight"), expected)
    assert torch.equal(weight(after, "classifier.weight"), head)
    other = f"{QUERY.replace('query', 'key')}.weight"
    assert torch.equal(weight(after, other), weight(before, other))
    assert after.labels == ("negative", "positive")


def test_a_base_without_a_head_gets_that_of_the_adapter(tmp_path: Path) -> None:
    """The base is bert.…, an encoder saved without its first part; classes are known by the head alone."""
    base = tiny_network_folder(tmp_path / "base", layers=2, labels=None)
    whole = {"classifier.weight": torch.randn(3, 32), "classifier.bias": torch.randn(3)}
    made = adapter(tmp_path / "lora", base, {**low_rank(QUERY, 32, 32), **whole})
    found = bring(str(made), tmp_path / "out")
    assert (facts_of(found)["has_head"], facts_of(found)["labels"]) == (True, ("LABEL_0", "LABEL_1", "LABEL_2"))
    assert torch.equal(weight(open_network(found), "classifier.weight"), whole["classifier.weight"])
    bare = adapter(tmp_path / "bare", base, low_rank(QUERY, 32, 32))
    with pytest.raises(ModelError, match="holds no head"):
        bring(str(bare), tmp_path / "out2")


@pytest.mark.parametrize("family", ["qwen2", "gemma2", "phi3"])
def test_a_decoder_that_writes_gets_the_head_of_the_adapter(tmp_path: Path, family: str) -> None:
    """Whether lighten opens the family as a language model or not: its own head is left out."""
    base = tiny_judge(family, tmp_path / "base", labels=0)
    config = json.loads((base / "config.json").read_text())
    config["architectures"] = [config["architectures"][0].replace("Model", "ForCausalLM")]
    (base / "config.json").write_text(json.dumps(config))
    state = {f"model.{name}": value for name, value in load_file(base / "model.safetensors").items()}
    rows = language_facts(base)["vocabulary"]
    save_file({**state, "lm_head.weight": torch.randn(rows, 64)}, base / "model.safetensors")
    name = "model.layers.1.mlp.down_proj"
    parts = low_rank(name, 64, 96)
    made = adapter(tmp_path / "lora", base, {**parts, "score.weight": torch.randn(3, 64)})
    brought = open_network(bring(str(made), tmp_path / "out"))
    a, b = parts.values()
    assert brought.has_head and len(brought.labels) == 3
    torch.testing.assert_close(weight(brought, f"{name}.weight"), state[f"{name}.weight"] + 4.0 * b @ a)
    writes = adapter(tmp_path / "writes", base, parts, "CAUSAL_LM")
    if family != "qwen2":
        with pytest.raises(ModelError, match=r"which cannot be used: .* language model of an architecture that"):
            find(str(writes))


def test_a_language_model_is_merged_with_every_setting(tmp_path: Path) -> None:
    base = tiny_language("llama", tmp_path / "base", tied=False)
    parts = low_rank(PROJ, 64, 64)
    magnitude = torch.rand(64) + 0.5
    embedding = {
        "model.embed_tokens.lora_embedding_A": torch.randn(2, language_facts(base)["vocabulary"]),
        "model.embed_tokens.lora_embedding_B": torch.randn(64, 2),
    }
    plain = load_file(base / "model.safetensors")
    a, b = parts.values()
    scaled = adapter(
        tmp_path / "dora",
        base,
        {**parts, f"{PROJ}.lora_magnitude_vector.weight": magnitude},
        "CAUSAL_LM",
        use_dora=True,
    )
    moved = plain[f"{PROJ}.weight"] + 4.0 * b @ a
    torch.testing.assert_close(
        weight(open_language(bring(str(scaled), tmp_path / "1")), f"{PROJ}.weight"),
        magnitude[:, None] * moved / moved.norm(dim=1, keepdim=True),
    )
    turned = adapter(tmp_path / "alpha", base, {**parts, **embedding}, "CAUSAL_LM", alpha_pattern={"q_proj": 2})
    network = open_language(bring(str(turned), tmp_path / "2"))
    torch.testing.assert_close(weight(network, f"{PROJ}.weight"), plain[f"{PROJ}.weight"] + 1.0 * b @ a)
    first, second = embedding.values()
    torch.testing.assert_close(
        weight(network, "model.embed_tokens.weight"), plain["model.embed_tokens.weight"] + 4.0 * (second @ first).T
    )


def test_a_base_is_found_beside_its_adapter(tmp_path: Path) -> None:
    tiny_network_folder(tmp_path / "base", layers=2)
    made = adapter(tmp_path / "lora", "/somewhere/else/base", low_rank(QUERY, 32, 32))
    assert find(str(made)).base == "/somewhere/else/base"
    assert bring(str(made), tmp_path / "out").format == "hf"


def test_an_adapter_without_its_base_is_called_so(tmp_path: Path) -> None:
    made = adapter(tmp_path / "lora", "org/some-base", low_rank(QUERY, 32, 32))
    with pytest.raises(ModelError, match="is a LoRA adapter of org/some-base, and that model is not at hand") as caught:
        find(str(made))
    assert "hf download org/some-base" in caught.value.fix
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    base = tiny_network_folder(tmp_path / "base", layers=2)
    for number, (parts, seen) in enumerate(
        (
            (low_rank("bert.encoder.layer.9.attention.self.query", 32, 32), "which its base does not have"),
            (low_rank(QUERY, 16, 32), "and the base has"),
            ({f"{QUERY}.lora_A.weight": torch.randn(2, 32)}, "only a part of the change"),
        )
    ):
        made = adapter(tmp_path / f"bad{number}", base, parts)
        with pytest.raises(ModelError, match=seen):
            bring(str(made), tmp_path / f"out{number}")
    language = tiny_language("llama", tmp_path / "language")
    wrong = adapter(tmp_path / "wrong", base, low_rank(QUERY, 32, 32), "CAUSAL_LM")
    with pytest.raises(ModelError, match="which is a text classifier"):
        find(str(wrong))
    right = adapter(tmp_path / "right", language, low_rank(PROJ, 64, 64), "CAUSAL_LM")
    assert find(str(right)).task == "text_generation"


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"init_lora_weights": "pissa_niter_16"}, "began as pissa_niter_16"),
        ({"use_qalora": True}, "QALoRA"),
        ({"target_parameters": ["w"]}, "without a module"),
    ],
)
def test_formulas_that_are_not_known_are_refused(tmp_path: Path, more: dict[str, Any], seen: str) -> None:
    made = adapter(tmp_path / "lora", "base", low_rank(QUERY, 32, 32), **more)
    with pytest.raises(ModelError, match=seen):
        check_adapter(made)
