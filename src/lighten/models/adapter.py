"""LoRA adapters as peft saves them, merged into the model that they were trained on.

Of a matrix W [out, in] the adapter holds A [r, in] and B [out, r]; merged, it is W + s B A with s = alpha / r, or
alpha / sqrt(r) with rank stabilisation (https://arxiv.org/abs/2312.03732). With DoRA the rows of that are scaled to the
magnitudes that it learned (https://arxiv.org/abs/2402.09353). Of an embedding [tokens, width] A is [r, tokens] and B
[width, r], and what is added is the transpose. ``modules_to_save`` replace what they name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighten.core.errors import ModelError
from lighten.files.json_file import read_object
from lighten.files.weight_files import WHOLE, weight_files
from lighten.nets.architectures import DECODERS, ENCODERS, named_architectures
from lighten.nets.facts import has_head

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
BEFORE = "base_model.model."
"""What peft puts before the name of every weight."""
REFUSED: Mapping[str, str] = {
    "use_qalora": "QALoRA", "alora_invocation_tokens": "activated LoRA", "layer_replication": "layer replication",
    "target_parameters": "LoRA of parameters without a module", "trainable_token_indices": "trained tokens",
    "megatron_config": "Megatron", "arrow_config": "Arrow", "monteclora_config": "MonteCLoRA", "corda_config": "CorDA",
    "eva_config": "", "lora_bias": "",
}  # fmt: skip
"""Settings that change the formula, by their names; an empty one does not."""
RESIDUAL = ("pissa", "olora", "corda", "loftq")
"""Ways to begin after which the adapter belongs to a base that was changed too, and is kept nowhere."""
_PART = re.compile(r"\.(lora_(?:A|B|embedding_A|embedding_B|magnitude_vector))(?:\.weight)?$")


def check_adapter(folder: Path) -> dict[str, Any]:
    """``adapter_config.json`` of an adapter that can be merged.

    Raises:
        ModelError: it is of a kind whose merging lighten does not know.
    """
    told = read_object(folder / CONFIG)
    odd = [name for setting, name in REFUSED.items() if name and told.get(setting)]
    begun = told.get("init_lora_weights")
    if isinstance(begun, str) and begun.lower().startswith(RESIDUAL):
        odd.append(f"LoRA that began as {begun}, which changes the base too")
    if odd:
        raise ModelError(
            f"{folder} is an adapter with {', '.join(odd)}, which lighten does not merge.",
            allowed="LoRA, with rank stabilisation, DoRA and modules_to_save",
            fix="merge it with peft (merge_and_unload), save that with save_pretrained, and give the folder",
        )
    return told


def merge_adapter(adapter: Path, base: Path, folder: Path) -> None:
    """Write the merged model's config and weights into ``folder``. What was merged is float32, the rest as it was.

    Args:
        base: the HF folder that the adapter was trained on.

    Raises:
        ModelError: the adapter does not fit the base.
    """
    from safetensors.torch import load_file, save_file

    told = check_adapter(adapter)
    state: dict[str, Tensor] = {}
    for file in weight_files(base):
        state |= load_file(base / file)
    deltas, whole = _sorted_parts(load_file(adapter / WEIGHTS), told)
    config = read_object(base / "config.json")
    for module, parts in deltas.items():
        name = _find(f"{module}.weight", state, adapter)
        state[name] = _merged(state[name].float(), parts, told, module)
    classifies = told.get("task_type") == "SEQ_CLS"
    for name, value in whole.items():
        known = _known(name, state)
        if known is None and not classifies:
            raise _misfit(adapter, name)
        state[known or name] = value.contiguous()
    if classifies:
        config = _with_head(config, state, whole, adapter)
        state = {name: value for name, value in state.items() if not name.startswith("lm_head.")}
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True), encoding="utf-8")
    save_file({name: value.contiguous() for name, value in state.items()}, folder / WHOLE, metadata={"format": "pt"})


def _sorted_parts(
    held: Mapping[str, Tensor], told: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor]]:
    """What an adapter's file holds: parts of changes by module, and weights that replace others, by name."""
    deltas: dict[str, dict[str, Tensor]] = {}
    whole: dict[str, Tensor] = {}
    for long, value in held.items():
        name = long.removeprefix(BEFORE)
        if match := _PART.search(name):
            deltas.setdefault(name[: match.start()], {})[match[1].removeprefix("lora_")] = value.float()
        else:
            name = re.sub(r"\.(modules_to_save|original_module)(\.default)?(?=\.)", "", name)
            whole[name.replace(".base_layer.", ".")] = value
    return deltas, whole


def _merged(weight: Tensor, parts: Mapping[str, Tensor], told: Mapping[str, Any], module: str) -> Tensor:
    """[out, in] with the change of one module added. weight: float32."""
    embedding = "embedding_A" in parts
    first, second = ("embedding_A", "embedding_B") if embedding else ("A", "B")
    if first not in parts or second not in parts:
        raise ModelError(f"The adapter holds only a part of the change of {module}.", fix="download it again")
    a, b = parts[first], parts[second]
    rank = a.shape[0]
    alpha = _pattern(told.get("alpha_pattern"), module, told.get("lora_alpha", 8))
    scale = alpha / (sqrt(rank) if told.get("use_rslora") else rank)
    change = b @ a if a.dim() == 2 and b.dim() == 2 else None
    turned = embedding or bool(told.get("fan_in_fan_out"))
    if change is None or (change.T if turned else change).shape != weight.shape:
        raise ModelError(
            f"The adapter changes {module} by {list(b.shape)} times {list(a.shape)}, and the base has "
            f"{list(weight.shape)} there.",
            fix="take the base that the adapter was trained on",
        )
    added = weight + scale * (change.T if turned else change)
    magnitude = parts.get("magnitude_vector")
    if magnitude is None:
        return added
    if embedding or turned:
        raise ModelError(f"The adapter scales {module} by DoRA, which lighten merges for plain linear maps alone.")
    result: Tensor = magnitude.flatten()[:, None] * added / added.norm(dim=1, keepdim=True)
    return result


def _pattern(table: Any, module: str, default: float) -> float:
    """The value of the first pattern that the end of a module's name matches, as peft reads ``alpha_pattern``."""
    for pattern, value in (table or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return float(value)
    return float(default)


def _known(name: str, state: Mapping[str, Tensor]) -> str | None:
    """The base's own name of a weight: bases saved without a head have no first part, and others have one more."""
    if name in state:
        return name
    short = name.partition(".")[2]
    longer = [known for known in state if known.endswith(f".{name}")]
    return short if short in state else longer[0] if len(longer) == 1 else None


def _find(name: str, state: Mapping[str, Tensor], adapter: Path) -> str:
    found = _known(name, state)
    if found is None:
        raise _misfit(adapter, name)
    return found


def _misfit(adapter: Path, name: str) -> ModelError:
    return ModelError(
        f"{adapter} changes {name}, which its base does not have.", fix="take the base that it was trained on"
    )


def _with_head(
    config: dict[str, Any], state: Mapping[str, Tensor], whole: Mapping[str, Tensor], adapter: Path
) -> dict[str, Any]:
    """The base's config with the head that the adapter brings, and the names that it may say of its classes."""
    family = config.get("model_type")
    heads = [value for name, value in whole.items() if re.search(r"(^|\.)(classifier|score|out_proj)\.weight$", name)]
    if has_head(config, state) and not heads:
        return config
    if family not in (*ENCODERS, *DECODERS) or not heads:
        raise ModelError(
            f"{adapter} is for a classifier, and holds no head (modules_to_save names none).",
            fix="save the head with the adapter: modules_to_save=['classifier'], or ['score'] for decoders",
        )
    own = read_object(adapter / "config.json", missing={})
    count = int(heads[-1].shape[0])
    names = own.get("id2label") or config.get("id2label") or {}
    kept = names if len(names) == count else {str(i): f"LABEL_{i}" for i in range(count)}
    name = next(iter(named_architectures(config)), f"{family}Model")
    stem = re.split(r"For[A-Z]|Model$|LMHead|PreTrained", name)[0]
    labels = {"id2label": kept, "label2id": {text: int(i) for i, text in kept.items()}}
    return {**config, **labels, "architectures": [f"{stem}ForSequenceClassification"]}
