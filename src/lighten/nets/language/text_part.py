"""The text part of a model of texts and images: its own config and weights, as an ordinary folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lighten.core.errors import ModelError
from lighten.files.json_file import read_object
from lighten.files.safefile import Tensor, read_header
from lighten.files.weight_files import WHOLE, weight_files

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "gemma3_text": {
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 262_208,
        "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26, "sliding_window": 4096,
        "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-6, "max_position_embeddings": 131_072,
        "rope_theta": 1_000_000.0, "rope_local_base_freq": 10_000.0, "tie_word_embeddings": True,
    }
}  # fmt: skip
"""What transformers takes where ``text_config`` does not say, by its ``model_type``."""
SHARED = ("bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings")
"""Settings that stand outside ``text_config`` too."""
_PREFIX = re.compile(r"(?:model\.language_model|language_model\.model|model)\.(?=(?:embed_tokens|layers|norm)\.)")


def text_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """``config.json`` of the text part alone."""
    inner = dict(config["text_config"])
    inner.pop("architectures", None)
    outside = {name: config[name] for name in SHARED if config.get(name) is not None}
    return {**DEFAULTS.get(str(inner.get("model_type")), {}), **outside, **inner}


def text_name(name: str) -> str:
    """Name of a weight in the text part alone; empty for one of another part."""
    if name in ("lm_head.weight", "language_model.lm_head.weight"):
        return "lm_head.weight"
    return "model." + name[match.end() :] if (match := _PREFIX.match(name)) else ""


def text_tensors(folder: Path) -> dict[str, Tensor]:
    """Headers of the text part's weights by their names in it.

    Raises:
        ModelError: there are none.
    """
    found: dict[str, Tensor] = {}
    for file in weight_files(folder):
        found |= {text_name(name): tensor for name, tensor in read_header(folder / file).items()}
    found.pop("", None)
    if "model.embed_tokens.weight" not in found:
        raise ModelError(
            f"{folder} is a model of texts and images whose weights hold no text part by a known name.",
            allowed="model.language_model., language_model.model. or model. before the names of the text part",
            fix="save its language model alone with save_pretrained, and give that folder",
        )
    return found


def take_text_part(source: Path, folder: Path) -> None:
    """Write config and weights of the text part into ``folder``; number formats stay.

    Raises:
        ModelError: there is none.
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    text_tensors(source)
    state: dict[str, Any] = {}
    for file in weight_files(source):
        with safe_open(source / file, "pt") as opened:
            state |= {text_name(name): opened.get_tensor(name) for name in opened.keys() if text_name(name)}  # noqa: SIM118
    config = text_config(read_object(source / "config.json"))
    if config.get("tie_word_embeddings"):
        state.pop("lm_head.weight", None)
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True), encoding="utf-8")
    save_file(state, folder / WHOLE, metadata={"format": "pt"})
