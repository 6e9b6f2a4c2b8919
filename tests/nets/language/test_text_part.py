"""The text part of a model of texts and images is taken by itself, under each of the names that it goes by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lighten.core.errors import ModelError
from lighten.measure.memory_estimate import facts_of_large
from lighten.models.bring import bring, find
from lighten.nets.language.network import open_language
from lighten.nets.language.text_part import text_config, text_name
from lighten.testing.tiny_language import tiny_language


def seeing(folder: Path, before: str) -> Path:
    """A Gemma 3 with eyes, its text part named with ``before`` in the place of ``model.``."""
    tiny_language("gemma3_text", folder)
    inner = json.loads((folder / "config.json").read_text())
    outer = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "text_config": inner,
        "vision_config": {"model_type": "siglip_vision_model"},
        "eos_token_id": [1, 106],
    }
    (folder / "config.json").write_text(json.dumps(outer))
    state = {
        name.replace("model.", before, 1): value for name, value in load_file(folder / "model.safetensors").items()
    }
    state |= {"vision_tower.a.weight": torch.ones(2, 2), "multi_modal_projector.b": torch.ones(2)}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("before", ["model.", "language_model.model.", "model.language_model."])
def test_the_text_part_answers_as_it_does_alone(tmp_path: Path, before: str) -> None:
    alone = open_language(tiny_language("gemma3_text", tmp_path / "alone"))
    folder = seeing(tmp_path / "seeing", before)
    found = find(str(folder))
    assert (found.kind, found.task) == ("text-part", "text_generation")
    known = facts_of_large(folder)
    assert known is not None and known["parameters"] == sum(p.numel() for p in alone.net.parameters())
    network = open_language(bring(str(folder), tmp_path / "out"))
    ids = torch.tensor([[2, 9, 8, 7]])
    with torch.no_grad():
        assert torch.equal(network.net(ids).logits, alone.net(ids).logits)


def test_weights_without_a_text_part_are_refused(tmp_path: Path) -> None:
    folder = seeing(tmp_path / "seeing", "other.")
    with pytest.raises(ModelError, match="hold no text part by a known name"):
        find(str(folder))


def test_names_and_defaults() -> None:
    assert text_name("language_model.lm_head.weight") == "lm_head.weight"
    assert text_name("model.vision_tower.layers.0.weight") == text_name("vision_tower.x") == ""
    assert text_name("model.language_model.norm.weight") == "model.norm.weight"
    made = text_config({"text_config": {"model_type": "gemma3_text", "hidden_size": 64}, "pad_token_id": 0})
    assert (made["hidden_size"], made["head_dim"], made["pad_token_id"]) == (64, 256, 0)
