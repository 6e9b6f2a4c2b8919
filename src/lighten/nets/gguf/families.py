"""How the language-model families that lighten opens are written in GGUF and in Hugging Face folders, both ways.

One table for names and one for settings serve both directions, so that what was read from a file is written as it was.

Sources: the GGUF specification; ``convert_hf_to_gguf.py`` of llama.cpp for names, the rows of Llama's queries and keys
(their halves interleaved for llama.cpp's rotary embedding) and Gemma's norms (stored plus one).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import ModelError
from lighten.nets.gguf.rope import Factors, from_factors, from_metadata, rope_of, scaled_metadata

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture.

    Attributes:
        architecture: its name in GGUF. model_type: its name in ``config.json``.
        layer: tensors of a layer, GGUF name to HF name, without ``blk.N.`` and ``model.layers.N.``.
        config: settings that follow from the family alone.
        norms_plus_one: norms are stored plus one in GGUF.
        interleaved: rows of queries and keys are in the order of llama.cpp's rotary embedding.
    """

    architecture: str
    model_type: str
    layer: Mapping[str, str]
    config: Mapping[str, Any]
    norms_plus_one: bool = False
    interleaved: bool = False


_PLAIN = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_HEAD_NORMS = {"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}
_GEMMA3 = {
    **_PLAIN,
    **_HEAD_NORMS,
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_SILU = {"hidden_act": "silu"}

FAMILIES = (
    Family("llama", "llama", _PLAIN, _SILU, interleaved=True),
    Family("llama", "mistral", _PLAIN, {**_SILU, "sliding_window": None}, interleaved=True),
    Family("qwen2", "qwen2", _PLAIN, {**_SILU, "use_sliding_window": False}),
    Family("qwen3", "qwen3", {**_PLAIN, **_HEAD_NORMS}, {**_SILU, "use_sliding_window": False}),
    Family("gemma3", "gemma3_text", _GEMMA3, {"hidden_activation": "gelu_pytorch_tanh"}, norms_plus_one=True),
)

SETTINGS: Mapping[str, str] = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "attention.key_length": "head_dim",
}
"""Metadata of GGUF, after the architecture's name, to settings of ``config.json``."""

OPTIONAL = frozenset({"attention.key_length", "attention.head_count_kv"})
GEMMA_ROUND = 6
"""Every so many layers one sees the whole sequence, in llama.cpp whatever the file says."""
_TOP = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
_HEAD = ("output.weight", "lm_head.weight")


def family_of_file(values: Mapping[str, Any]) -> Family:
    """The family of a GGUF file.

    Raises:
        ModelError: one that lighten does not open.
    """
    name = str(values["general.architecture"])
    found = next((family for family in FAMILIES if family.architecture == name), None)
    if found is None:
        raise ModelError(
            f"The file holds a model of the architecture {name!r}, which lighten cannot take apart.",
            allowed=", ".join(sorted({family.architecture for family in FAMILIES})),
        )
    return found


def family_of_config(config: Mapping[str, Any]) -> Family:
    """The family of an HF folder.

    Raises:
        ModelError: one that lighten does not open.
    """
    found = next((family for family in FAMILIES if family.model_type == config.get("model_type")), None)
    if found is None:
        raise ModelError(
            f"config.json describes the architecture {config.get('model_type')!r}, which is no language model that "
            "lighten knows.",
            allowed=", ".join(family.model_type for family in FAMILIES),
        )
    return found


def config_of(
    values: Mapping[str, Any], *, vocabulary: int, tied: bool, factors: Factors | None = None
) -> dict[str, Any]:
    """``config.json`` of the model in a GGUF file.

    Args:
        factors: of its rotary embedding, where the file has a tensor of them.

    Raises:
        ModelError: an unknown architecture, a setting that is missing, or a rotary embedding scaled in another way.
    """
    family = family_of_file(values)
    name = family.architecture
    config: dict[str, Any] = {"model_type": family.model_type, **family.config}
    for key, setting in SETTINGS.items():
        value = values.get(f"{name}.{key}")
        if value is None and key not in OPTIONAL:
            raise ModelError(f"The file lacks {name}.{key}.", fix="convert the model again with a current llama.cpp")
        if value is not None:
            config[setting] = value
    if not all(isinstance(value, (int, float, str, type(None))) for value in config.values()):
        raise ModelError("The layers of the file differ in their sizes.", allowed="the same heads and neurons")
    config.setdefault("num_key_value_heads", config["num_attention_heads"])
    config.setdefault("head_dim", config["hidden_size"] // config["num_attention_heads"])
    turned = values.get(f"{name}.rope.dimension_count", config["head_dim"])
    if turned != config["head_dim"] or values.get(f"{name}.final_logit_softcapping"):
        raise ModelError(
            f"The file turns {turned} of {config['head_dim']} numbers of a head, or caps its logits.",
            allowed="rotary embeddings of whole heads, plain logits",
        )
    theta = float(values.get(f"{name}.rope.freq_base", 10_000.0))
    config["rope_parameters"] = from_metadata(values, name, theta)
    if factors is not None and (factors != 1.0).any():
        if config["rope_parameters"]["rope_type"] != "default" or len(factors) * 2 != config["head_dim"]:
            raise ModelError(f"The file scales its rotary embedding twice, or {len(factors)} pairs of a head.")
        config["rope_parameters"] = from_factors(factors, theta, config["max_position_embeddings"])
    if name == "gemma3":
        local = float(values.get("gemma3.rope.freq_base_swa", values.get("gemma3.rope.local.freq_base", 10_000.0)))
        config["rope_parameters"] = {
            "full_attention": config["rope_parameters"],
            "sliding_attention": {"rope_type": "default", "rope_theta": local},
        }
        config["sliding_window"] = values.get("gemma3.attention.sliding_window", 512)
        config["query_pre_attn_scalar"] = config["head_dim"]
    ids = {"bos": "bos_token_id", "eos": "eos_token_id", "padding": "pad_token_id", "unknown": "unk_token_id"}
    for key, setting in ids.items():
        if (number := values.get(f"tokenizer.ggml.{key}_token_id")) is not None and number < vocabulary:
            config[setting] = number
    return config | {"vocab_size": vocabulary, "tie_word_embeddings": tied}


def values_of(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Metadata of a GGUF file for the model of a ``config.json``; without the vocabulary.

    Raises:
        ModelError: an unknown architecture, or a rotary embedding scaled in a way that GGUF has no place for.
    """
    family = family_of_config(config)
    check_plain(config, family)
    arch = family.architecture
    found: dict[str, Any] = {"general.architecture": arch, "general.type": "model", "general.name": name}
    for key, setting in SETTINGS.items():
        if config.get(setting) is not None:
            found[f"{arch}.{key}"] = config[setting]
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    found |= {f"{arch}.attention.key_length": width, f"{arch}.attention.value_length": width}
    if family.interleaved:
        found[f"{arch}.rope.dimension_count"] = width
    rope = rope_of(config)
    found[f"{arch}.rope.freq_base"] = rope["rope_theta"]
    found |= scaled_metadata(rope, arch)
    if arch == "gemma3":
        local = (config.get("rope_parameters") or {}).get("sliding_attention", {})
        found["gemma3.attention.sliding_window"] = config["sliding_window"]
        found["gemma3.rope.freq_base_swa"] = float(
            local.get("rope_theta") or config.get("rope_local_base_freq") or 10_000.0
        )
    found[f"{arch}.vocab_size"] = config["vocab_size"]
    return found


def check_plain(config: Mapping[str, Any], family: Family) -> None:
    """Refuse what ``config.json`` can say and a GGUF file cannot: llama.cpp would compute something else.

    Raises:
        ModelError: such a setting.
    """
    allowed: dict[str, Any] = {name: value for name, value in family.config.items() if name != "sliding_window"}
    allowed |= dict.fromkeys(("final_logit_softcapping", "attn_logit_softcapping"))
    allowed["use_bidirectional_attention"] = False
    if family.architecture == "gemma3":
        allowed["query_pre_attn_scalar"] = config.get("head_dim")
        kinds = ("full_attention", "sliding_attention")
        allowed["layer_types"] = [kinds[bool((i + 1) % GEMMA_ROUND)] for i in range(config["num_hidden_layers"])]
    for name, value in allowed.items():
        if config.get(name, value) not in (value, None if value is False else value):
            raise ModelError(
                f"config.json of the model says {name} = {config[name]}, which GGUF has no place for in this family.",
                allowed=f"{name} = {value}",
            )


def hf_name(family: Family, name: str) -> str:
    """Name of a GGUF tensor in an HF folder.

    Raises:
        ModelError: the family has no such tensor.
    """
    if name in _TOP:
        return _TOP[name]
    if name == _HEAD[0]:
        return _HEAD[1]
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name)
    if match is None or match[2] not in family.layer:
        raise ModelError(f"The file has a tensor {name}, which {family.architecture} does not have.")
    return f"model.layers.{match[1]}.{family.layer[match[2]]}.{match[3]}"


def gguf_name(family: Family, name: str) -> str:
    """Name of a weight of an HF folder in GGUF.

    Raises:
        ModelError: the family has no such weight.
    """
    for ours, theirs in (*_TOP.items(), _HEAD):
        if name == theirs:
            return ours
    match = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    back = {theirs: ours for ours, theirs in family.layer.items()}
    if match is None or match[2] not in back:
        raise ModelError(f"The model has a weight {name}, which {family.model_type} does not have in GGUF.")
    return f"blk.{match[1]}.{back[match[2]]}.{match[3]}"


def to_hf(family: Family, name: str, value: Array, config: Mapping[str, Any]) -> Array:
    """A tensor as the HF folder holds it. name: in GGUF; value: [out, in] or [n], float32."""
    if family.norms_plus_one and name.endswith("norm.weight"):
        return value - 1.0
    if family.interleaved and re.search(r"attn_[qk]\.", name):
        heads = config["num_attention_heads" if "attn_q." in name else "num_key_value_heads"]
        shape = value.shape
        return value.reshape(heads, shape[0] // heads // 2, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
    return value


def to_gguf(family: Family, name: str, value: Array, config: Mapping[str, Any]) -> Array:
    """A tensor as GGUF holds it; the inverse of :func:`to_hf`. name: in GGUF."""
    if family.norms_plus_one and name.endswith("norm.weight"):
        return value + 1.0
    if family.interleaved and re.search(r"attn_[qk]\.", name):
        heads = config["num_attention_heads" if "attn_q." in name else "num_key_value_heads"]
        shape = value.shape
        return value.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
    return np.asarray(value)
